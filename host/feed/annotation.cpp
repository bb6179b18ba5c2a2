#include <host/feed/annotation.hpp>

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

namespace nephron::host {

namespace {

std::string text(const Region& r) {
  return std::to_string(r.width) + " x " + std::to_string(r.height) + " at (" + std::to_string(r.x) + ", " +
         std::to_string(r.y) + ")";
}

std::string text(Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }

// fillPoly counts in 1/65536 px of 64-bit integers; what lies farther out than this cannot be seen on any slide.
int truncated(double v) {
  if (!std::isfinite(v)) throw Error("a polygon has a vertex that is not a number");
  return static_cast<int>(std::clamp(v, -1e8, 1e8));
}

}  // namespace

Rasteriser::Rasteriser(Size slide, int classes) : slide_(slide), classes_(classes) {}
Rasteriser::~Rasteriser() = default;

const ImageView& Rasteriser::canvas() {
  if (labels_.empty()) labels_ = Image(slide_, 1);
  return labels_.view();
}

void Rasteriser::check_class(int class_index) const {
  if (class_index < 0 || class_index >= classes_)
    throw Error("the annotation names class " + std::to_string(class_index) + ", but the experiment has " +
                std::to_string(classes_) + " classes, counted from 0");
}

void Rasteriser::check_map(const Region& r, const ImageView& map, Depth depth, const std::string& what) const {
  if (r.x < 0 || r.y < 0 || r.empty() || r.x + r.width > slide_.width || r.y + r.height > slide_.height)
    throw Error(what + " covers " + text(r) + ", which is not inside the slide of " + text(slide_) + " px");
  if (map.size() != r.size() || map.channels != 1 || map.depth != depth)
    throw Error(what + " of the region " + text(r) + " has " + text(map.size()) + " px, " +
                std::to_string(map.channels) + " channels of " + std::to_string(bytes_of(map.depth)) +
                " bytes; expected the region's size, one channel of " + std::to_string(bytes_of(depth)) + " bytes");
}

void Rasteriser::polygon(int class_index, const Polygon& polygon) {
  check_class(class_index);
  std::vector<std::vector<cv::Point>> rings;
  for (const auto& ring : polygon) {
    if (ring.empty()) continue;
    auto& points = rings.emplace_back();
    for (const Point& p : ring) points.emplace_back(truncated(p.x), truncated(p.y));
  }
  if (rings.empty()) return;
  const cv::Rect box =
      cv::boundingRect(rings.front()) & cv::Rect(0, 0, static_cast<int>(slide_.width), static_cast<int>(slide_.height));
  if (box.empty()) return;
  cv::Mat filled = cv::Mat::zeros(box.size(), CV_8U);
  cv::fillPoly(filled, rings, cv::Scalar(1 << class_index), cv::LINE_8, 0, -box.tl());
  cv::Mat part = as_mat(canvas())(box);
  cv::bitwise_or(part, filled, part);
}

void Rasteriser::mask(const Region& region, const ImageView& labels) {
  check_map(region, labels, Depth::u8, "a label mask");
  const ImageView part = canvas().crop(region);
  std::uint8_t seen = 0;
  for (std::int64_t y = 0; y < region.height; ++y) {
    const auto* from = labels.row<const std::uint8_t>(y);
    auto* to = part.row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < region.width; ++x) {
      to[x] |= from[x];
      seen |= from[x];
    }
  }
  if (seen >> classes_ != 0)
    throw Error("a label mask sets bit " + std::to_string(31 - __builtin_clz(seen)) + ", but the experiment has " +
                std::to_string(classes_) + " classes, counted from bit 0");
}

void Rasteriser::runs(int class_index, std::span<const Run> runs, bool column_major) {
  check_class(class_index);
  const ImageView& to = canvas();
  const std::int64_t total = slide_.area(), along = column_major ? slide_.height : slide_.width;
  const auto bit = static_cast<std::uint8_t>(1 << class_index);
  for (const auto& [start, length] : runs) {
    if (start < 0 || length < 0 || start > total - length)
      throw Error("run " + std::to_string(start) + " + " + std::to_string(length) + " leaves the slide of " +
                  text(slide_) + " = " + std::to_string(total) + " px");
    std::int64_t line = start / along, at = start % along, left = length;
    while (left > 0) {
      const std::int64_t n = std::min(left, along - at);
      if (column_major) {
        for (std::int64_t y = at; y < at + n; ++y) to.row<std::uint8_t>(y)[line] |= bit;
      } else {
        auto* row = to.row<std::uint8_t>(line);
        for (std::int64_t x = at; x < at + n; ++x) row[x] |= bit;
      }
      left -= n, at = 0, ++line;
    }
  }
}

void Rasteriser::probability(int class_index, const Region& region, const ImageView& map) {
  check_class(class_index);
  check_map(region, map, Depth::f32, "a probability map");
  Image& plane = soft_[class_index];
  if (plane.empty()) plane = Image(slide_, 1);
  const ImageView part = plane.view().crop(region);
  const ImageView bits = canvas().crop(region);
  for (std::int64_t y = 0; y < region.height; ++y) {
    const auto* from = map.row<const float>(y);
    for (std::int64_t x = 0; x < region.width; ++x) {
      if (!(from[x] >= 0 && from[x] <= 1))
        throw Error("a probability map holds " + std::to_string(from[x]) + "; expected numbers in [0, 1]");
      part.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(std::lround(from[x] * 255));
      if (from[x] > 0.5F) bits.row<std::uint8_t>(y)[x] |= static_cast<std::uint8_t>(1 << class_index);
    }
  }
}

Image Rasteriser::labels(Size size) const {
  if (labels_.empty() || size == slide_) return labels_;
  Image out(size, 1);
  cv::Mat to = as_mat(out.view());
  cv::resize(as_mat(labels_.view()), to, to.size(), 0, 0, cv::INTER_NEAREST);
  return out;
}

std::map<int, Image> Rasteriser::soft(Size size) const {
  std::map<int, Image> out;
  for (const auto& [c, plane] : soft_) {
    if (size == slide_) {
      out[c] = plane;
      continue;
    }
    out[c] = Image(size, 1);
    cv::Mat to = as_mat(out[c].view());
    cv::resize(as_mat(plane.view()), to, to.size(), 0, 0, cv::INTER_AREA);
  }
  return out;
}

}  // namespace nephron::host
