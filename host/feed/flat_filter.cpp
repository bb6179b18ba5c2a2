#include <host/feed/flat_filter.hpp>

#include <algorithm>
#include <bit>

#include <host/feed/eight_pixels.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t most_taps = 257;  // as many bytes add up to 16 bits

/// Nearest whole number, even where two are as near: at this size, a float's last bit is 1.
std::uint8_t byte_of(float v) {
  constexpr float large = 12582912;
  return static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>((v < 255 ? v : 255) + large));
}

#if defined(NEPHRON_EIGHT_PIXELS)
/// Sixteen sums of 16 bits, times the weight, rounded as byte_of() does: 32 bits each, the first eight in `low`.
__attribute__((target("avx2"))) inline void weigh(__m256i sums, __m256 weight, __m256i& low, __m256i& high) {
  const auto half = [&](__m128i of) __attribute__((target("avx2"))) {
    const __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(of)), weight);
    return _mm256_cvtps_epi32(_mm256_min_ps(value, _mm256_set1_ps(255)));
  };
  low = half(_mm256_castsi256_si128(sums)), high = half(_mm256_extracti128_si256(sums, 1));
}

/// 32 values at a time, whose sums stay in registers; gives how many.
__attribute__((target("avx2"))) std::int64_t run_avx2(const std::vector<const std::uint8_t*>& rows, std::int64_t values,
                                                      float weight, std::uint8_t* out) {
  const __m256i ones = _mm256_set1_epi8(1), none = _mm256_setzero_si256();
  const __m256 weights = _mm256_set1_ps(weight);
  const std::size_t taps = rows.size();
  std::int64_t k = 0;
  for (; k + 32 <= values; k += 32) {
    // Of each half of the register the first eight values, and the last.
    __m256i first = none, last = none;
    for (std::size_t i = 0; i < taps; i += 2) {
      const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[i] + k));
      const __m256i b = i + 1 < taps ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[i + 1] + k)) : none;
      first = _mm256_add_epi16(first, _mm256_maddubs_epi16(_mm256_unpacklo_epi8(a, b), ones));
      last = _mm256_add_epi16(last, _mm256_maddubs_epi16(_mm256_unpackhi_epi8(a, b), ones));
    }
    __m256i of_first[2], of_last[2];
    weigh(first, weights, of_first[0], of_first[1]);
    weigh(last, weights, of_last[0], of_last[1]);
    // In their order: halves of 0 to 7 and 8 to 15, then 16 to 23 and 24 to 31.
    for (int h = 0; h < 2; ++h) {
      const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(of_first[h], of_last[h]), 0xD8);
      const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + k + 16 * h), bytes);
    }
  }
  return k;
}
#endif

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
  std::int64_t done = 0;
#if defined(NEPHRON_EIGHT_PIXELS)
  if (has_avx2()) done = run_avx2(rows, values, weight_, out);
#endif
  std::uint16_t* const sums = sums_.data();
  std::fill(sums_.begin() + done, sums_.end(), std::uint16_t{0});
  std::size_t i = 0;
  for (; i + 4 <= rows.size(); i += 4) {  // four at once: sums are read and written less often
    const std::uint8_t *a = rows[i], *b = rows[i + 1], *c = rows[i + 2], *d = rows[i + 3];
    for (std::int64_t k = done; k < values; ++k)
      sums[k] = static_cast<std::uint16_t>(sums[k] + a[k] + b[k] + c[k] + d[k]);
  }
  for (; i < rows.size(); ++i)
    for (std::int64_t k = done; k < values; ++k) sums[k] = static_cast<std::uint16_t>(sums[k] + rows[i][k]);
  const float weight = weight_;
  for (std::int64_t k = done; k < values; ++k) out[k] = byte_of(static_cast<float>(sums[k]) * weight);
}

}  // namespace nephron::host
