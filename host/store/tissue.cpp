#include <host/store/tissue.hpp>

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include <nephron/image_cv.hpp>

#include <host/store/area_rows.hpp>

namespace nephron::host {

std::int64_t Tissue::pixels(Size level) const {
  if (mask.empty()) return 0;
  std::int64_t blocks = 0;
  for (std::int64_t y = 0; y < mask.view().height; ++y) {
    const auto* row = mask.view().row<const std::uint8_t>(y);
    blocks += std::count_if(row, row + mask.view().width, [](std::uint8_t v) { return v != 0; });
  }
  const double share = static_cast<double>(blocks) / static_cast<double>(mask.size().area());
  return static_cast<std::int64_t>(std::llround(share * static_cast<double>(level.area())));
}

SmallPicture::SmallPicture(Size level) {
  constexpr std::int64_t most_blocks = 1024;
  while (std::max(level.width, level.height) > most_blocks * block_ && block_ < 256) block_ *= 2;
  means_ = Image({(level.width + block_ - 1) / block_, (level.height + block_ - 1) / block_}, 3);
}

void SmallPicture::add(const ImageView& pixels, std::int64_t x, std::int64_t y) {
  for (std::int64_t top = 0; top < pixels.height; top += block_) {
    const std::int64_t height = std::min<std::int64_t>(block_, pixels.height - top);
    auto* to = means_.view().row<std::uint8_t>((y + top) / block_) + 3 * (x / block_);
    std::int64_t left = 0;
    if (height == block_) {
      const std::int64_t whole = pixels.width / block_;
      if (block_ == 1) std::copy_n(pixels.row<const std::uint8_t>(top), 3 * whole, to);
      else area_row(pixels.row<const std::uint8_t>(top), pixels.stride, {block_, block_}, whole, to);
      left = whole * block_, to += 3 * whole;
    }
    for (; left < pixels.width; left += block_, to += 3) mean_of(pixels, left, top, height, to);
  }
}

void SmallPicture::mean_of(const ImageView& pixels, std::int64_t left, std::int64_t top, std::int64_t height,
                           std::uint8_t* to) const {
  const std::int64_t width = std::min<std::int64_t>(block_, pixels.width - left), n = width * height;
  std::int64_t sum[3] = {0, 0, 0};
  for (std::int64_t v = 0; v < height; ++v) {
    const auto* p = pixels.row<const std::uint8_t>(top + v) + 3 * left;
    for (std::int64_t u = 0; u < width; ++u, p += 3) sum[0] += p[0], sum[1] += p[1], sum[2] += p[2];
  }
  for (int c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>((sum[c] + n / 2) / n);
}

Tissue SmallPicture::tissue() const {
  // Otsu splits whatever it is given, also a picture of nothing but glass or nothing but tissue: glass is hardly ever
  // more saturated than the upper bound, stained tissue never less than the lower one.
  constexpr double least = 10, most = 50;
  cv::Mat hsv, saturation, mask;
  cv::cvtColor(as_mat(means_.view()), hsv, cv::COLOR_RGB2HSV);
  cv::extractChannel(hsv, saturation, 1);
  const double otsu = cv::threshold(saturation, mask, 0, 255, cv::THRESH_BINARY | cv::THRESH_OTSU);
  Tissue out;
  out.block = block_;
  out.threshold = static_cast<int>(std::clamp(otsu, least, most));
  out.mask = Image(means_.size(), 1);
  cv::Mat to = as_mat(out.mask.view());
  cv::threshold(saturation, to, out.threshold, 255, cv::THRESH_BINARY);
  return out;
}

Tissue tissue_of(const ImageView& level) {
  SmallPicture small(level.size());
  small.add(level, 0, 0);
  return small.tissue();
}

}  // namespace nephron::host
