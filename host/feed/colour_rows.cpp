#include <host/feed/colour_rows.hpp>

#include <host/feed/eight_pixels.hpp>

namespace nephron::host {

namespace {

/// Pixels [first, pixels) by their body.
template <class Body>
void run_each(const Body body, const std::uint8_t* in, std::uint8_t* out, std::int64_t first, std::int64_t pixels) {
  for (std::int64_t i = 3 * first; i < 3 * pixels; i += 3) body(in + i, out + i);
}

#if defined(NEPHRON_EIGHT_PIXELS)

// Two pixels of a body in one register, the first in its lower half: as Quad computes one.

__attribute__((target("avx2"))) inline __m256 load_two(const float* first, const float* second) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(first)), _mm_loadu_ps(second), 1);
}

/// Red, green or blue of both pixels.
__attribute__((target("avx2"))) inline __m256 shares_of(const float* table, const std::uint8_t* in, int channel) {
  return load_two(table + 4 * (256 * channel + in[channel]), table + 4 * (256 * channel + in[3 + channel]));
}

__attribute__((target("avx2"))) inline __m256 two_of(const SumBody& body, const std::uint8_t* in) {
  return _mm256_add_ps(_mm256_add_ps(shares_of(body.table, in, 0), shares_of(body.table, in, 1)),
                       shares_of(body.table, in, 2));
}

__attribute__((target("avx2"))) inline __m256 two_of(const ProductBody& body, const std::uint8_t* in) {
  return _mm256_min_ps(_mm256_mul_ps(_mm256_mul_ps(shares_of(body.table, in, 0), shares_of(body.table, in, 1)),
                                     shares_of(body.table, in, 2)),
                       _mm256_set1_ps(255));
}

__attribute__((target("avx2"))) inline __m256 between(__m256 low, __m256 high, __m256 share) {
  return _mm256_add_ps(low, _mm256_mul_ps(_mm256_sub_ps(high, low), share));
}

__attribute__((target("avx2"))) inline __m256 two_shares(float first, float second) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_set1_ps(first)), _mm_set1_ps(second), 1);
}

__attribute__((target("avx2"))) inline __m256 along_red(const float* first, const float* second, __m256 share) {
  return between(load_two(first, second), load_two(first + 4, second + 4), share);
}

__attribute__((target("avx2"))) inline __m256 two_of(const CubeBody& body, const std::uint8_t* in) {
  const CubeCell *const cells = body.cells, r[2] = {cells[in[0]], cells[in[3]]}, g[2] = {cells[in[1]], cells[in[4]]},
                        b[2] = {cells[in[2]], cells[in[5]]};
  const std::int32_t row = 4 * body.side, plane = row * body.side;
  const float* const p = body.nodes + 4 * r[0].node + row * g[0].node + plane * b[0].node;
  const float* const q = body.nodes + 4 * r[1].node + row * g[1].node + plane * b[1].node;
  const __m256 red = two_shares(r[0].share, r[1].share), green = two_shares(g[0].share, g[1].share),
               blue = two_shares(b[0].share, b[1].share);
  const __m256 near = between(along_red(p, q, red), along_red(p + row, q + row, red), green);
  const __m256 far =
      between(along_red(p + plane, q + plane, red), along_red(p + plane + row, q + plane + row, red), green);
  return between(near, far, blue);
}

/// Eight at a time; gives how many pixels that is.
template <class Body>
__attribute__((target("avx2"))) std::int64_t run_avx2(const Body body, const std::uint8_t* in, std::uint8_t* out,
                                                      std::int64_t pixels) {
  std::int64_t i = 0;
  for (; i + 8 <= pixels; i += 8) {
    const std::uint8_t* const from = in + 3 * i;
    const __m256i a = _mm256_cvtps_epi32(two_of(body, from)), b = _mm256_cvtps_epi32(two_of(body, from + 6)),
                  c = _mm256_cvtps_epi32(two_of(body, from + 12)), d = _mm256_cvtps_epi32(two_of(body, from + 18));
    store_eight(a, b, c, d, out + 3 * i);
  }
  return i;
}

#endif

template <class Body>
void run(const Body& body, const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels) {
  std::int64_t done = 0;
#if defined(NEPHRON_EIGHT_PIXELS)
  if (has_avx2()) done = run_avx2(body, in, out, pixels);
#endif
  run_each(body, in, out, done, pixels);
}

}  // namespace

void run_row(const LookupBody& body, const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels) {
  run_each(body, in, out, 0, pixels);
}
void run_row(const SumBody& body, const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels) {
  run(body, in, out, pixels);
}
void run_row(const ProductBody& body, const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels) {
  run(body, in, out, pixels);
}
void run_row(const CubeBody& body, const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels) {
  run(body, in, out, pixels);
}

}  // namespace nephron::host
