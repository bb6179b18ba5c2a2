#pragma once

#include <cmath>
#include <cstdint>

namespace synthetic {

/// 32 well mixed bits of a lattice point: the only source of randomness below the level of objects, so that a pixel is
/// a function of its place and of the seed alone, whatever region it is read with.
inline std::uint32_t hash(std::int32_t x, std::int32_t y, std::uint32_t seed) noexcept {
  std::uint32_t h =
      static_cast<std::uint32_t>(x) * 0x8da6b343U ^ static_cast<std::uint32_t>(y) * 0xd8163841U ^ seed * 0xcb1ab31fU;
  h = (h ^ h >> 16) * 0x7feb352dU;
  h = (h ^ h >> 15) * 0x846ca68bU;
  return h ^ h >> 16;
}

/// Byte number i (0..3) of a hash as a number in [0, 1).
inline float part(std::uint32_t h, int i) noexcept { return static_cast<float>(h >> (8 * i) & 0xFFU) / 256.0F; }

inline float smooth(float t) noexcept { return t * t * (3 - 2 * t); }

/// 0 below `from`, 1 above `to`, smooth between.
inline float step(float from, float to, float v) noexcept {
  const float t = (v - from) / (to - from);
  return t <= 0 ? 0.0F : t >= 1 ? 1.0F : smooth(t);
}

/// Value noise in [0, 1) with features of about `scale` px.
inline float noise(float x, float y, float scale, std::uint32_t seed) noexcept {
  const float u = x / scale, v = y / scale;
  const float fu = std::floor(u), fv = std::floor(v);
  const auto i = static_cast<std::int32_t>(fu), j = static_cast<std::int32_t>(fv);
  const float s = smooth(u - fu), t = smooth(v - fv);
  const auto at = [&](std::int32_t a, std::int32_t b) { return static_cast<float>(hash(a, b, seed) >> 8) * 0x1p-24F; };
  const float top = at(i, j) + s * (at(i + 1, j) - at(i, j));
  const float bottom = at(i, j + 1) + s * (at(i + 1, j + 1) - at(i, j + 1));
  return top + t * (bottom - top);
}

}  // namespace synthetic
