#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include <host/cuda/host_device.hpp>

#if defined(__SSE2__) && !defined(__CUDACC__)
#define NEPHRON_QUAD_IN_REGISTER 1
#include <emmintrin.h>
#endif

namespace nephron::host {

/// Nearest whole number, even where two are as near.
NEPHRON_HOST_DEVICE inline std::int32_t nearest(float v) {
#if defined(__CUDA_ARCH__)
  return __float2int_rn(v);
#elif defined(NEPHRON_QUAD_IN_REGISTER)
  return _mm_cvtss_si32(_mm_set_ss(v));
#else
  return static_cast<std::int32_t>(std::lrintf(v));
#endif
}

#if defined(NEPHRON_QUAD_IN_REGISTER)
/// The first three of four whole numbers, clipped to bytes.
inline void store_three(__m128i whole, std::uint8_t* out) {
  whole = _mm_packs_epi32(whole, whole);
  const auto bytes = static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_packus_epi16(whole, whole)));
  std::memcpy(out, &bytes, 2);
  out[2] = static_cast<std::uint8_t>(bytes >> 16);
}
#endif

/// Four numbers that are computed at once: one register on x86, four scalars elsewhere. Every operation rounds once, so
/// that the bits are the same everywhere, as long as the compiler does not join products and sums (nvcc -fmad=false).
struct Quad {
#if defined(NEPHRON_QUAD_IN_REGISTER)
  __m128 v;
  static Quad load(const float* from) { return {_mm_loadu_ps(from)}; }
  friend Quad operator+(Quad a, Quad b) { return {_mm_add_ps(a.v, b.v)}; }
  friend Quad operator-(Quad a, Quad b) { return {_mm_sub_ps(a.v, b.v)}; }
  friend Quad operator*(Quad a, Quad b) { return {_mm_mul_ps(a.v, b.v)}; }
  friend Quad operator*(Quad a, float b) { return {_mm_mul_ps(a.v, _mm_set1_ps(b))}; }
  /// The bound where a number is none.
  Quad at_most(float most) const { return {_mm_min_ps(v, _mm_set1_ps(most))}; }
  Quad at_least(float least) const { return {_mm_max_ps(v, _mm_set1_ps(least))}; }
#else
  float v[4];
  NEPHRON_HOST_DEVICE static Quad load(const float* from) { return {{from[0], from[1], from[2], from[3]}}; }
  NEPHRON_HOST_DEVICE friend Quad operator+(Quad a, Quad b) {
    return {{a.v[0] + b.v[0], a.v[1] + b.v[1], a.v[2] + b.v[2], a.v[3] + b.v[3]}};
  }
  NEPHRON_HOST_DEVICE friend Quad operator-(Quad a, Quad b) {
    return {{a.v[0] - b.v[0], a.v[1] - b.v[1], a.v[2] - b.v[2], a.v[3] - b.v[3]}};
  }
  NEPHRON_HOST_DEVICE friend Quad operator*(Quad a, Quad b) {
    return {{a.v[0] * b.v[0], a.v[1] * b.v[1], a.v[2] * b.v[2], a.v[3] * b.v[3]}};
  }
  NEPHRON_HOST_DEVICE friend Quad operator*(Quad a, float b) {
    return {{a.v[0] * b, a.v[1] * b, a.v[2] * b, a.v[3] * b}};
  }
  NEPHRON_HOST_DEVICE Quad at_most(float most) const {
    return {
        {v[0] < most ? v[0] : most, v[1] < most ? v[1] : most, v[2] < most ? v[2] : most, v[3] < most ? v[3] : most}};
  }
  NEPHRON_HOST_DEVICE Quad at_least(float least) const {
    return {{v[0] > least ? v[0] : least, v[1] > least ? v[1] : least, v[2] > least ? v[2] : least,
             v[3] > least ? v[3] : least}};
  }
#endif
  /// All four, rounded. They lie within 32 bits.
  NEPHRON_HOST_DEVICE void store_whole(std::int32_t* out) const {
#if defined(NEPHRON_QUAD_IN_REGISTER)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_cvtps_epi32(v));
#else
    for (int i = 0; i < 4; ++i) out[i] = nearest(v[i]);
#endif
  }
  /// The first three, rounded and clipped to bytes. They lie within 32 bits.
  NEPHRON_HOST_DEVICE void store_bytes(std::uint8_t* out) const {
#if defined(NEPHRON_QUAD_IN_REGISTER)
    store_three(_mm_cvtps_epi32(v), out);
#else
    for (int c = 0; c < 3; ++c) {
      const std::int32_t whole = nearest(v[c]);
      out[c] = static_cast<std::uint8_t>(whole < 0 ? 0 : whole > 255 ? 255 : whole);
    }
#endif
  }
};

}  // namespace nephron::host
