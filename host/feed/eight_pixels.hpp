#pragma once

#include <cstdint>
#include <cstring>

#include <host/util/processor.hpp>

// Eight RGB pixels at once, for loops over the bodies of warps and colours where the processor has AVX2.
#if defined(__x86_64__)
#define NEPHRON_EIGHT_PIXELS 1
#include <immintrin.h>

namespace nephron::host {

__attribute__((target("avx2"))) inline __m256i two(__m128i first, __m128i second) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
}

/// Writes eight RGB pixels, 24 bytes of `out`.
__attribute__((target("avx2"))) inline void store_eight(__m256i a, __m256i b, __m256i c, __m256i d, std::uint8_t* out) {
  // Bytes of pixels 0 2 4 6 | 1 3 5 7, four each, then in their order, then three each.
  const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
  const __m256i ordered = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  const __m256i packed =
      _mm256_shuffle_epi8(ordered, _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1,  //
                                                    0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
  const __m128i low = _mm256_castsi256_si128(packed), high = _mm256_extracti128_si256(packed, 1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), low);  // the last four bytes are written again
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 12), high);
  const int last = _mm_extract_epi32(high, 2);
  std::memcpy(out + 20, &last, 4);
}

}  // namespace nephron::host
#endif
