#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

#include <nephron/augmentation.hpp>

// Hue, saturation and value, twice: of colours as numbers, for the nodes of a cube, and of whole pictures with the
// whole numbers that OpenCV and so Albumentations compute with (hues in steps of two degrees).

struct Colour {
  float r, g, b;  ///< 0 to 255
  float grey() const { return 0.299F * r + 0.587F * g + 0.114F * b; }
};

/// Turns the hue by sixths of a circle; adds to saturation (0 to 1) and value (0 to 255). What is grey stays grey.
inline Colour hsv_shifted(Colour c, float sixths, float saturation, float value) {
  const float v = std::max({c.r, c.g, c.b}), chroma = v - std::min({c.r, c.g, c.b});
  const float new_v = std::clamp(v + value, 0.0F, 255.0F);
  if (!(chroma > 0)) return {new_v, new_v, new_v};
  const float hue = sixths + (v == c.r   ? (c.g - c.b) / chroma
                              : v == c.g ? 2 + (c.b - c.r) / chroma
                                         : 4 + (c.r - c.g) / chroma);
  const float new_chroma = new_v * std::clamp(chroma / v + saturation, 0.0F, 1.0F);
  const auto channel = [&](float start) {
    float k = start + hue;
    k -= 6 * std::floor(k / 6);
    return new_v - new_chroma * std::clamp(std::min(k, 4 - k), 0.0F, 1.0F);
  };
  return {channel(5), channel(3), channel(1)};
}

/// The map of colours, by its values at 33 x 33 x 33 of them.
template <class Map>
void add_cube(const Map& map, nephron::Plan& plan) {
  constexpr int side = 33;
  constexpr float step = 255.0F / (side - 1);
  std::vector<float> values;
  values.reserve(3 * side * side * side);
  for (int b = 0; b < side; ++b)
    for (int g = 0; g < side; ++g)
      for (int r = 0; r < side; ++r) {
        const Colour to =
            map({step * static_cast<float>(r), step * static_cast<float>(g), step * static_cast<float>(b)});
        values.insert(values.end(), {to.r, to.g, to.b});
      }
  plan.colour_cube(side, values);
}

using Table = std::array<std::uint8_t, 256>;

/// OpenCV's hues plus a shift, truncated.
inline Table hue_table(double shift) {
  Table out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double turned = std::fmod(static_cast<double>(i) + shift, 180.0);
    out[i] = static_cast<std::uint8_t>(turned < 0 ? turned + 180 : turned);
  }
  return out;
}

/// Hue, saturation and value of an RGB picture through a table each, in place.
inline void through_hsv_tables(cv::Mat& rgb, const std::array<Table, 3>& tables) {
  cv::Mat hsv;
  cv::cvtColor(rgb, hsv, cv::COLOR_RGB2HSV);
  cv::Mat joined(1, 256, CV_8UC3);
  for (int i = 0; i < 256; ++i)
    for (int c = 0; c < 3; ++c)
      joined.at<cv::Vec3b>(0, i)[c] = tables[static_cast<std::size_t>(c)][static_cast<std::size_t>(i)];
  cv::LUT(hsv, joined, hsv);
  cv::cvtColor(hsv, rgb, cv::COLOR_HSV2RGB);
}
