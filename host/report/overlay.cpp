#include <host/report/overlay.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/feed/preview.hpp>

namespace nephron::host {

namespace {

void require_same_size(const Image& picture, const Image& other) {
  if (picture.size() != other.size())
    throw Error("the prediction is " + std::to_string(other.size().width) + " x " +
                std::to_string(other.size().height) + " px, its picture " + std::to_string(picture.size().width) +
                " x " + std::to_string(picture.size().height));
}

Image copied(const Image& from) {
  Image out(from.size(), from.view().channels);
  copy(from.view(), out.view());
  return out;
}

/// A line with an edge that keeps it visible on any stain.
void draw_outline(const cv::Mat& onto, const Image& mask, const cv::Scalar& colour, const cv::Scalar& edge,
                  int width = 2) {
  std::vector<std::vector<cv::Point>> outlines;
  cv::findContours(cv::Mat(as_mat(mask.view()) > 127), outlines, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
  cv::drawContours(onto, outlines, -1, edge, width + 2, cv::LINE_AA);
  cv::drawContours(onto, outlines, -1, colour, width, cv::LINE_AA);
}

const cv::Scalar white(255, 255, 255), black(0, 0, 0), blue(0, 114, 178);

}  // namespace

Size shown_size(Size full, std::int64_t side) {
  const double scale =
      std::min(1.0, static_cast<double>(side) / static_cast<double>(std::max(full.width, full.height)));
  const auto length = [&](std::int64_t n) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(n) * scale));
  };
  return {length(full.width), length(full.height)};
}

Image outlined(const Image& picture, const Image& prediction, const Image& truth, const Image& ignored) {
  require_same_size(picture, prediction);
  const Image out = copied(picture);
  const cv::Mat pixels = as_mat(out.view());
  if (!ignored.empty()) {
    require_same_size(picture, ignored);
    const std::uint8_t* const first = ignored.view().row<const std::uint8_t>(0);
    hatch_ignored(out.view(), {first, first + ignored.size().area()});
  }
  if (!truth.empty()) {
    require_same_size(picture, truth);
    draw_outline(pixels, truth, black, white);
  }
  draw_outline(pixels, prediction, blue, white);
  return out;
}

Image heated(const Image& picture, const Image& probability) {
  require_same_size(picture, probability);
  const Image out = copied(picture);
  cv::Mat colours;
  cv::applyColorMap(as_mat(probability.view()), colours, cv::COLORMAP_VIRIDIS);
  for (std::int64_t y = 0; y < out.size().height; ++y) {
    std::uint8_t* const p = out.view().row<std::uint8_t>(y);
    const std::uint8_t* const heat = colours.ptr<std::uint8_t>(static_cast<int>(y));
    const std::uint8_t* const value = probability.view().row<const std::uint8_t>(y);
    for (std::int64_t x = 0; x < out.size().width; ++x) {
      const double share = 0.75 * value[x] / 255;  // nothing veils tissue without probability
      for (int c = 0; c < 3; ++c)
        p[3 * x + c] = static_cast<std::uint8_t>(std::lround((1 - share) * p[3 * x + c] + share * heat[3 * x + 2 - c]));
    }
  }
  draw_outline(as_mat(out.view()), probability, white, black, 1);
  return out;
}

}  // namespace nephron::host
