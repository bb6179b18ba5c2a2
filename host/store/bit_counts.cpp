#include <host/store/bit_counts.hpp>

#include <cstring>

#include <nephron/label_pixels.hpp>

namespace nephron::host {

namespace {

/// A byte has few values: they are counted, and their bits afterwards. Eight neighbours that are alike, as most are,
/// are counted at once: counting one value again and again waits for the last time each time.
void add_bytes(const ImageView& labels, std::array<std::int64_t, 32>& counts) {
  constexpr std::int64_t at_once = 8;
  constexpr std::uint64_t ones = 0x0101010101010101;
  std::array<std::int64_t, 256> histogram{};
  for (std::int64_t y = 0; y < labels.height; ++y) {
    const auto* const row = labels.row<const std::uint8_t>(y);
    std::int64_t x = 0;
    for (; x + at_once <= labels.width; x += at_once) {
      std::uint64_t pixels;
      std::memcpy(&pixels, row + x, at_once);
      if (pixels == ones * row[x]) histogram[row[x]] += at_once;
      else
        for (std::int64_t i = x; i < x + at_once; ++i) ++histogram[row[i]];
    }
    for (; x < labels.width; ++x) ++histogram[row[x]];
  }
  for (std::size_t value = 1; value < histogram.size(); ++value)
    for (std::size_t bit = 0; bit < 8; ++bit)
      if ((value >> bit & 1U) != 0) counts[bit] += histogram[value];
}

/// Wider pixels have long runs of one value.
template <class T>
void add_runs(const ImageView& labels, std::array<std::int64_t, 32>& counts) {
  for (std::int64_t y = 0; y < labels.height; ++y) {
    const auto* const row = labels.row<const T>(y);
    for (std::int64_t x = 0; x < labels.width;) {
      const T value = row[x];
      const std::int64_t start = x;
      while (x < labels.width && row[x] == value) ++x;
      if (value == 0) continue;
      for (std::size_t bit = 0; bit < 8 * sizeof(T); ++bit)
        if ((value >> bit & 1U) != 0) counts[bit] += x - start;
    }
  }
}

}  // namespace

void BitCounts::add(const ImageView& labels) {
  if (labels.depth == Depth::u8) return add_bytes(labels, counts_);
  with_label_type(labels.depth, [&](auto zero) { add_runs<decltype(zero)>(labels, counts_); });
}

BitCounts& BitCounts::operator+=(const BitCounts& other) noexcept {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  return *this;
}

std::vector<std::int64_t> BitCounts::of_first(std::size_t n) const {
  std::vector<std::int64_t> out;
  for (std::size_t bit = 0; bit < n; ++bit) out.push_back(of(bit));
  return out;
}

}  // namespace nephron::host
