#pragma once

#include <optional>
#include <vector>

#include <nephron/image.hpp>

#include <opencv2/core.hpp>

namespace nephron::host {

/// A filter whose weights are one number above 0, or 0, such as a disk's or a line's: sums of whole numbers, rounded
/// once. OpenCV's filter2D adds products, several times as slowly.
class FlatFilter {
 public:
  /// Nothing where the weights are others.
  static std::optional<FlatFilter> of(const ImageView& kernel);

  /// As cv::filter2D with BORDER_REFLECT_101: a part of a larger picture reads the pixels around it.
  void run(const cv::Mat& from, cv::Mat& into);

 private:
  void run_row(const std::vector<const std::uint8_t*>& rows, std::int64_t values, std::uint8_t* out);

  float weight_ = 0;
  cv::Size radius_;
  std::vector<cv::Point> taps_;
  std::vector<std::uint16_t> sums_;
};

}  // namespace nephron::host
