#include <host/feed/warp_rows.hpp>

#include <string>

#include <nephron/error.hpp>

#include <host/feed/eight_pixels.hpp>

namespace nephron::host {

namespace {

/// Pixels [first, last) of a row by their body.
template <class Pixel>
void read_each(const Pixel pixel, const PlaceRow& places, std::size_t first, std::size_t last, std::uint8_t* out) {
  out += first * Pixel::bytes;
  for (std::size_t i = first; i < last; ++i, out += Pixel::bytes) pixel({places.x[i], places.y[i]}, out);
}

#if defined(NEPHRON_EIGHT_PIXELS)

/// Whether all eight of them are pixels 0 to most.
__attribute__((target("avx2"))) inline bool all_within(__m256i v, __m256i most) {
  // Unsigned: what is below 0 is large.
  return _mm256_movemask_epi8(_mm256_cmpeq_epi32(_mm256_min_epu32(v, most), v)) == -1;
}

/// Bytes from the picture's held corner to each of eight pixels. The distances fit into 32 bits: all are in memory.
__attribute__((target("avx2"))) inline __m256i offsets_of(const HeldPixels& from, __m256i x, __m256i y, int bytes) {
  const __m256i rows = _mm256_sub_epi32(y, _mm256_set1_epi32(from.y)),
                columns = _mm256_sub_epi32(x, _mm256_set1_epi32(from.x));
  return _mm256_add_epi32(_mm256_mullo_epi32(rows, _mm256_set1_epi32(static_cast<int>(from.stride))),
                          _mm256_mullo_epi32(columns, _mm256_set1_epi32(bytes)));
}

inline bool fits_offsets(const HeldPixels& from) {
  return from.stride * (static_cast<std::ptrdiff_t>(from.height) + 1) < (std::ptrdiff_t{1} << 31);
}

/// The weights of a pixel and the one after it, and of a row and the one below it, sixteen bytes for each fraction.
struct Weights {
  alignas(16) std::int8_t beside[32][16];
  alignas(16) std::int16_t below[32][8];
};
constexpr Weights make_weights() {
  Weights out{};
  for (int f = 0; f < 32; ++f) {
    for (int i = 0; i < 16; ++i) out.beside[f][i] = static_cast<std::int8_t>(i % 2 == 0 ? 32 - f : f);
    for (int i = 0; i < 8; ++i) out.below[f][i] = static_cast<std::int16_t>(i % 2 == 0 ? 32 - f : f);
  }
  return out;
}
constexpr Weights weights = make_weights();

__attribute__((target("avx2"))) inline __m128i load16(const void* p) {
  return _mm_load_si128(static_cast<const __m128i*>(p));
}

/// A pixel and the one after it, of a row and of the row below it: eight bytes each.
__attribute__((target("avx2"))) inline __m128i quad_at(const std::uint8_t* above, std::ptrdiff_t stride) {
  const __m128i high = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(above));
  return _mm_unpacklo_epi64(high, _mm_loadl_epi64(reinterpret_cast<const __m128i*>(above + stride)));
}

/// Two pixels of the result, 32 bits a channel: the first in the lower half.
__attribute__((target("avx2"))) inline __m256i two_pixels(const HeldPixels& from, const std::int32_t* offset,
                                                          const std::int32_t* fx, const std::int32_t* fy) {
  const __m256i pairs = _mm256_setr_epi8(0, 3, 1, 4, 2, 5, 6, 7, 8, 11, 9, 12, 10, 13, 14, 15,  //
                                         0, 3, 1, 4, 2, 5, 6, 7, 8, 11, 9, 12, 10, 13, 14, 15);
  const __m256i quads = _mm256_shuffle_epi8(
      two(quad_at(from.data + offset[0], from.stride), quad_at(from.data + offset[1], from.stride)), pairs);
  const __m256i rows = _mm256_maddubs_epi16(quads, two(load16(weights.beside[fx[0]]), load16(weights.beside[fx[1]])));
  const __m256i columns = _mm256_unpacklo_epi16(rows, _mm256_srli_si256(rows, 8));
  const __m256i sums = _mm256_madd_epi16(columns, two(load16(weights.below[fy[0]]), load16(weights.below[fy[1]])));
  return _mm256_srli_epi32(_mm256_add_epi32(sums, _mm256_set1_epi32(512)), 10);
}

/// What eight pixels need, in memory: to take numbers out of registers one by one costs more.
struct alignas(32) Eight {
  std::int32_t offset[8], fx[8], fy[8];
};

/// False when one of them does not lie between four pixels of the picture.
__attribute__((target("avx2"))) inline bool prepare_eight(const HeldPixels& from, const std::int32_t* xs,
                                                          const std::int32_t* ys, Eight& to) {
  const __m256i px = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(xs)),
                py = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(ys));
  const __m256i x = _mm256_srai_epi32(px, place_bits), y = _mm256_srai_epi32(py, place_bits);
  if (!all_within(x, _mm256_set1_epi32(from.width - 2)) || !all_within(y, _mm256_set1_epi32(from.height - 2)))
    return false;
  const __m256i fraction = _mm256_set1_epi32(31);
  _mm256_store_si256(reinterpret_cast<__m256i*>(to.offset), offsets_of(from, x, y, 3));
  _mm256_store_si256(reinterpret_cast<__m256i*>(to.fx), _mm256_and_si256(px, fraction));
  _mm256_store_si256(reinterpret_cast<__m256i*>(to.fy), _mm256_and_si256(py, fraction));
  return true;
}

__attribute__((target("avx2"))) void read_linear_avx2(const HeldPixels& from, bool reflect, const PlaceRow& places,
                                                      std::uint8_t* out) {
  constexpr std::size_t ahead = 4;  // a few at once, so that they are read from memory
  const std::size_t n = places.size() / 8;
  Eight eights[ahead];
  bool inside[ahead];
  for (std::size_t first = 0; first < n; first += ahead) {
    const std::size_t count = n - first < ahead ? n - first : ahead;
    for (std::size_t k = 0; k < count; ++k)
      inside[k] = prepare_eight(from, places.x.data() + 8 * (first + k), places.y.data() + 8 * (first + k), eights[k]);
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t i = 8 * (first + k);
      const Eight& e = eights[k];
      if (inside[k])
        store_eight(two_pixels(from, e.offset, e.fx, e.fy), two_pixels(from, e.offset + 2, e.fx + 2, e.fy + 2),
                    two_pixels(from, e.offset + 4, e.fx + 4, e.fy + 4),
                    two_pixels(from, e.offset + 6, e.fx + 6, e.fy + 6), out + 3 * i);
      else read_each(LinearPixel{from, reflect}, places, i, i + 8, out);
    }
  }
  read_each(LinearPixel{from, reflect}, places, 8 * n, places.size(), out);
}

#endif

}  // namespace

void read_linear_row(const HeldPixels& from, bool reflect, const PlaceRow& places, std::uint8_t* out) {
#if defined(NEPHRON_EIGHT_PIXELS)
  const bool quads = from.width > 1 && from.height > 1;  // of a thinner picture every pixel lies at an edge
  if (quads && has_avx2() && fits_offsets(from)) return read_linear_avx2(from, reflect, places, out);
#endif
  read_each(LinearPixel{from, reflect}, places, 0, places.size(), out);
}

void read_nearest_row(const HeldPixels& from, bool reflect, std::size_t bytes, const PlaceRow& places,
                      std::uint8_t* out) {
  switch (bytes) {
    case 1:
      return read_each(NearestPixel<1>{from, reflect}, places, 0, places.size(), out);
    case 2:
      return read_each(NearestPixel<2>{from, reflect}, places, 0, places.size(), out);
    case 4:
      return read_each(NearestPixel<4>{from, reflect}, places, 0, places.size(), out);
    default:
      throw Error("a plane has pixels of " + std::to_string(bytes) + " bytes; expected 1, 2 or 4");
  }
}

}  // namespace nephron::host
