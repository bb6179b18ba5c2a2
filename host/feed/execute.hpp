#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <opencv2/core/mat.hpp>

#include <host/feed/plan.hpp>

namespace nephron::host {

/// Carries plans out with OpenCV's arithmetic, one step after the other. Only the pixels that the wanted region depends
/// on are computed: filters add their margin, warps read the whole picture. One per thread: it holds the buffers.
class Executor {
 public:
  /// Fills its arguments with a region of the source picture; planes[0] are label bits, further ones probabilities.
  using Source =
      std::function<void(const Region& region, const ImageView& image, const std::vector<ImageView>& planes)>;

  /// `wanted`, in the picture after all steps, goes to `image` (u8 RGB) and `planes` (u8), which are of its size.
  void run(const RecordedPlan& plan, const Region& wanted, const Source& source, const ImageView& image,
           const std::vector<ImageView>& planes);

 private:
  struct Now {                  // where the pixels are while steps are carried out
    Region region;              // of the picture at this stage
    std::vector<cv::Mat> mats;  // image first, then planes
  };
  cv::Mat buffer(std::size_t which, Size size, int type);
  void apply(const Step& step, const Region& to, Now& now, Size picture);
  void shrink(Now& now, const Region& to);

  std::vector<cv::Mat> buffers_;  // two a picture: source and destination of a step
  std::vector<bool> in_second_;   // which of the two holds the pixels now
};

}  // namespace nephron::host
