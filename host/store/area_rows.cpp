#include <host/store/area_rows.hpp>

#include <cmath>

#include <host/util/processor.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nephron::host {

namespace {

bool is(Block block, int side) { return block.width == side && block.height == side; }

std::uint8_t rounded(unsigned sum, Block block) {
  if (is(block, 2)) return static_cast<std::uint8_t>((sum + 2) >> 2);
  return static_cast<std::uint8_t>(
      std::nearbyint(static_cast<float>(sum) * (1.F / static_cast<float>(block.width * block.height))));
}

#if defined(__x86_64__)
// A lane of 16 bytes takes 4 pixels (12 bytes): neighbours of a colour are brought side by side and added in pairs.
__attribute__((target("avx2"))) inline __m256i pair_sums(const std::uint8_t* p) {
  const __m256i side_by_side = _mm256_setr_epi8(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1, 0, 3, 1, 4, 2, 5,
                                                6, 9, 7, 10, 8, 11, -1, -1, -1, -1);
  const __m256i eight =
      _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
                              _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 12)), 1);
  return _mm256_maddubs_epi16(_mm256_shuffle_epi8(eight, side_by_side), _mm256_set1_epi8(1));
}

// 4 pixels a turn; loads reach 4 bytes and stores 2 beyond them, so the last ones are left to the plain loop.
__attribute__((target("avx2"))) std::int64_t row_by_2(const std::uint8_t* from, std::ptrdiff_t stride, std::int64_t n,
                                                      std::uint8_t* to) {
  std::int64_t x = 0;
  for (; x + 5 <= n; x += 4, from += 24, to += 12) {
    const __m256i sum = _mm256_add_epi16(pair_sums(from), pair_sums(from + stride));
    const __m256i mean = _mm256_srli_epi16(_mm256_add_epi16(sum, _mm256_set1_epi16(2)), 2);
    const __m256i bytes = _mm256_packus_epi16(mean, mean);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(bytes));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 6), _mm256_extracti128_si256(bytes, 1));
  }
  return x;
}

// 2 pixels a turn; stores reach 1 byte beyond them.
__attribute__((target("avx2"))) std::int64_t row_by_4(const std::uint8_t* from, std::ptrdiff_t stride, std::int64_t n,
                                                      std::uint8_t* to) {
  const __m256i half_less = _mm256_set1_epi16(7), one = _mm256_set1_epi16(1);
  std::int64_t x = 0;
  for (; x + 3 <= n; x += 2, from += 24, to += 6) {
    const __m256i two = _mm256_add_epi16(pair_sums(from), pair_sums(from + stride));
    const __m256i four =
        _mm256_add_epi16(two, _mm256_add_epi16(pair_sums(from + 2 * stride), pair_sums(from + 3 * stride)));
    const __m256i sum = _mm256_add_epi16(four, _mm256_bsrli_epi128(four, 6));
    // Half to even: of a sum of 16, half is 8; it is carried where the quotient is odd.
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi16(sum, 4), one);
    const __m256i mean = _mm256_srli_epi16(_mm256_add_epi16(sum, _mm256_add_epi16(half_less, odd)), 4);
    const __m256i bytes = _mm256_packus_epi16(mean, mean);
    _mm_storeu_si32(to, _mm256_castsi256_si128(bytes));
    _mm_storeu_si32(to + 3, _mm256_extracti128_si256(bytes, 1));
  }
  return x;
}
#endif

template <class Sum>
void portable(const std::uint8_t* from, std::ptrdiff_t stride, Block block, std::int64_t n, std::uint8_t* to) {
  // Sums of columns first, in pieces that stay in the nearest cache: they are simple loops, and few are left to add.
  Sum columns[3 * Block::most];
  const std::int64_t pixels = Block::most / block.width;
  for (std::int64_t x = 0; x < n; x += pixels) {
    const std::int64_t count = n - x < pixels ? n - x : pixels;
    const std::int64_t bytes = 3 * count * block.width;
    for (std::int64_t i = 0; i < bytes; ++i) columns[i] = from[i];
    for (int row = 1; row < block.height; ++row) {
      const std::uint8_t* const p = from + row * stride;
      for (std::int64_t i = 0; i < bytes; ++i) columns[i] = static_cast<Sum>(columns[i] + p[i]);
    }
    const Sum* c = columns;
    for (std::int64_t i = 0; i < count; ++i, to += 3) {
      unsigned r = 0, g = 0, b = 0;
      for (int k = 0; k < block.width; ++k, c += 3) r += c[0], g += c[1], b += c[2];
      to[0] = rounded(r, block), to[1] = rounded(g, block), to[2] = rounded(b, block);
    }
    from += bytes;
  }
}

}  // namespace

void area_row_portable(const std::uint8_t* from, std::ptrdiff_t stride, Block block, std::int64_t n, std::uint8_t* to) {
  const bool fits = block.height <= UINT16_MAX / UINT8_MAX;
  (fits ? portable<std::uint16_t> : portable<std::uint32_t>)(from, stride, block, n, to);
}

void area_row(const std::uint8_t* from, std::ptrdiff_t stride, Block block, std::int64_t n, std::uint8_t* to) {
  std::int64_t done = 0;
#if defined(__x86_64__)
  if (has_avx2() && is(block, 2)) done = row_by_2(from, stride, n, to);
  if (has_avx2() && is(block, 4)) done = row_by_4(from, stride, n, to);
#endif
  area_row_portable(from + 3 * block.width * done, stride, block, n - done, to + 3 * done);
}

}  // namespace nephron::host
