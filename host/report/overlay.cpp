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

Image scaled(const Image& from, std::int64_t side) {
  const double scale =
      std::min(1.0, static_cast<double>(side) / static_cast<double>(std::max(from.size().width, from.size().height)));
  const auto length = [&](std::int64_t n) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(n) * scale));
  };
  Image out({length(from.size().width), length(from.size().height)}, from.view().channels);
  cv::Mat to = as_mat(out.view());
  cv::resize(as_mat(from.view()), to, to.size(), 0, 0, cv::INTER_AREA);
  return out;
}

void draw_outline(const cv::Mat& onto, const Image& mask, std::int64_t side, const cv::Scalar& colour, int width = 2) {
  const Image small = scaled(mask, side);
  std::vector<std::vector<cv::Point>> outlines;
  cv::findContours(cv::Mat(as_mat(small.view()) > 127), outlines, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
  cv::drawContours(onto, outlines, -1, colour, width, cv::LINE_AA);
}

}  // namespace

Image outlined(const Image& picture, const Image& prediction, const Image& truth, std::int64_t side,
               const Image& ignored) {
  require_same_size(picture, prediction);
  const Image out = scaled(picture, side);
  const cv::Mat pixels = as_mat(out.view());
  if (!ignored.empty()) {
    require_same_size(picture, ignored);
    const Image small = scaled(ignored, side);
    const std::uint8_t* const first = small.view().row<const std::uint8_t>(0);
    hatch_ignored(out.view(), {first, first + small.size().area()});
  }
  if (!truth.empty()) {
    require_same_size(picture, truth);
    draw_outline(pixels, truth, side, {230, 30, 30});
  }
  draw_outline(pixels, prediction, side, {0, 190, 70});
  return out;
}

Image heated(const Image& picture, const Image& probability, std::int64_t side) {
  require_same_size(picture, probability);
  const Image out = scaled(picture, side), map = scaled(probability, side);
  cv::Mat colours;
  cv::applyColorMap(as_mat(map.view()), colours, cv::COLORMAP_INFERNO);
  for (std::int64_t y = 0; y < out.size().height; ++y) {
    std::uint8_t* const p = out.view().row<std::uint8_t>(y);
    const std::uint8_t* const heat = colours.ptr<std::uint8_t>(static_cast<int>(y));
    const std::uint8_t* const value = map.view().row<const std::uint8_t>(y);
    for (std::int64_t x = 0; x < out.size().width; ++x) {
      const double share = 0.65 * value[x] / 255;  // nothing veils tissue without probability
      for (int c = 0; c < 3; ++c)
        p[3 * x + c] = static_cast<std::uint8_t>(std::lround((1 - share) * p[3 * x + c] + share * heat[3 * x + 2 - c]));
    }
  }
  draw_outline(as_mat(out.view()), probability, side, {255, 255, 255}, 1);
  return out;
}

}  // namespace nephron::host
