#include <host/feed/flat_filter.hpp>

#include <algorithm>
#include <bit>

namespace nephron::host {

namespace {

constexpr std::size_t most_taps = 257;  // as many bytes add up to 16 bits

/// Nearest whole number, even where two are as near: at this size, a float's last bit is 1.
std::uint8_t byte_of(float v) {
  constexpr float large = 12582912;
  return static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>((v < 255 ? v : 255) + large));
}

}  // namespace

std::optional<FlatFilter> FlatFilter::of(const ImageView& kernel) {
  FlatFilter out;
  out.radius_ = {static_cast<int>(kernel.width / 2), static_cast<int>(kernel.height / 2)};
  for (std::int64_t y = 0; y < kernel.height; ++y)
    for (std::int64_t x = 0; x < kernel.width; ++x) {
      const float weight = kernel.row<const float>(y)[x];
      if (weight == 0) continue;
      if (out.taps_.empty()) out.weight_ = weight;
      if (!(weight > 0) || weight != out.weight_ || out.taps_.size() == most_taps) return std::nullopt;
      out.taps_.emplace_back(static_cast<int>(x), static_cast<int>(y));
    }
  return out.taps_.empty() ? std::nullopt : std::optional(std::move(out));
}

void FlatFilter::run(const cv::Mat& from, cv::Mat& into) {
  cv::Mat wide;
  cv::copyMakeBorder(from, wide, radius_.height, radius_.height, radius_.width, radius_.width, cv::BORDER_REFLECT_101);
  const auto values = static_cast<std::int64_t>(from.cols) * from.channels();
  std::vector<const std::uint8_t*> rows(taps_.size());
  sums_.resize(static_cast<std::size_t>(values));
  for (int y = 0; y < from.rows; ++y) {
    for (std::size_t i = 0; i < taps_.size(); ++i)
      rows[i] = wide.ptr(y + taps_[i].y) + static_cast<std::ptrdiff_t>(taps_[i].x) * from.channels();
    run_row(rows, values, into.ptr(y));
  }
}

void FlatFilter::run_row(const std::vector<const std::uint8_t*>& rows, std::int64_t values, std::uint8_t* out) {
  std::uint16_t* const sums = sums_.data();
  std::fill(sums_.begin(), sums_.end(), std::uint16_t{0});
  std::size_t i = 0;
  for (; i + 4 <= rows.size(); i += 4) {  // four at once: sums are read and written less often
    const std::uint8_t *a = rows[i], *b = rows[i + 1], *c = rows[i + 2], *d = rows[i + 3];
    for (std::int64_t k = 0; k < values; ++k) sums[k] = static_cast<std::uint16_t>(sums[k] + a[k] + b[k] + c[k] + d[k]);
  }
  for (; i < rows.size(); ++i)
    for (std::int64_t k = 0; k < values; ++k) sums[k] = static_cast<std::uint16_t>(sums[k] + rows[i][k]);
  const float weight = weight_;
  for (std::int64_t k = 0; k < values; ++k) out[k] = byte_of(static_cast<float>(sums[k]) * weight);
}

}  // namespace nephron::host
