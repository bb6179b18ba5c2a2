#pragma once

#include <algorithm>
#include <array>
#include <cmath>

// sRGB (0 to 255) and CIELAB under D65, as OpenCV has them for pictures of floats.

namespace lab_detail {
inline constexpr float white_x = 0.950456F, white_z = 1.088754F;
inline float linear(float v) { return v <= 0.04045F ? v / 12.92F : std::pow((v + 0.055F) / 1.055F, 2.4F); }
inline float encoded(float v) { return v <= 0.0031308F ? 12.92F * v : 1.055F * std::pow(v, 1 / 2.4F) - 0.055F; }
inline float root(float t) { return t > 0.008856F ? std::cbrt(t) : 7.787F * t + 16.0F / 116; }
inline float cube(float f) { return f > 0.206893F ? f * f * f : (f - 16.0F / 116) / 7.787F; }
}  // namespace lab_detail

inline std::array<float, 3> lab_of(const std::array<float, 3>& rgb) {
  using namespace lab_detail;
  const float r = linear(rgb[0] / 255), g = linear(rgb[1] / 255), b = linear(rgb[2] / 255);
  const float x = root((0.412453F * r + 0.357580F * g + 0.180423F * b) / white_x);
  const float y = root(0.212671F * r + 0.715160F * g + 0.072169F * b);
  const float z = root((0.019334F * r + 0.119193F * g + 0.950227F * b) / white_z);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

/// Clipped to colours that there are.
inline std::array<float, 3> rgb_of(const std::array<float, 3>& lab) {
  using namespace lab_detail;
  const float fy = (lab[0] + 16) / 116, x = white_x * cube(fy + lab[1] / 500), y = cube(fy),
              z = white_z * cube(fy - lab[2] / 200);
  const auto channel = [](float v) { return 255 * encoded(std::clamp(v, 0.0F, 1.0F)); };
  return {channel(3.240479F * x - 1.537150F * y - 0.498535F * z),
          channel(-0.969256F * x + 1.875991F * y + 0.041556F * z),
          channel(0.055648F * x - 0.204043F * y + 1.057311F * z)};
}
