#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include <nephron/augmentation.hpp>

// Maps of colours as the nodes of a cube, a row of nodes at a time: loops without branches, for vectors of numbers.

inline constexpr int cube_side = 33;

struct Colour {
  float r, g, b;  ///< 0 to 255
  float grey() const { return 0.299F * r + 0.587F * g + 0.114F * b; }
};

// By value: what std::min and std::max give are references, whose choice is a branch.
inline float larger(float a, float b) { return a > b ? a : b; }
inline float smaller(float a, float b) { return a < b ? a : b; }
inline float clipped(float v, float most) { return smaller(larger(v, 0), most); }

/// Colours of index cube_side and above fill up the last vector, and count for nothing.
struct ColourRow {
  static constexpr std::size_t size = 36;
  std::array<float, size> r, g, b;

  /// Each becomes change(it).
  template <class Change>
  void each(const Change& change) {
    for (std::size_t i = 0; i < size; ++i) {
      const Colour to = change(Colour{r[i], g[i], b[i]});
      r[i] = to.r, g[i] = to.g, b[i] = to.b;
    }
  }
};

/// Turns the hue by sixths of a circle, -3 to 3; adds to saturation (0 to 1) and value (0 to 255). What is grey stays
/// grey.
inline void shift_hsv(ColourRow& row, float sixths, float saturation, float value) {
  constexpr float tiny = 1e-9F;
  row.each([=](Colour c) {
    const float v = larger(c.r, larger(c.g, c.b)), chroma = v - smaller(c.r, smaller(c.g, c.b));
    const float scale = 1 / larger(chroma, tiny);
    const float of_red = (c.g - c.b) * scale, of_green = 2 + (c.b - c.r) * scale, of_blue = 4 + (c.r - c.g) * scale;
    const float hue = sixths + (v == c.r ? of_red : v == c.g ? of_green : of_blue);
    const float new_v = clipped(v + value, 255), share = clipped(chroma / larger(v, tiny) + saturation, 1);
    const float new_chroma = chroma > 0 ? new_v * share : 0;
    const auto channel = [=](float start) {
      float k = start + hue;  // -3 to 13, and into 0 to 6
      k += k < 0 ? 6.0F : 0.0F;
      k -= k >= 6 ? 6.0F : 0.0F;
      k -= k >= 6 ? 6.0F : 0.0F;
      return new_v - new_chroma * clipped(smaller(k, 4 - k), 1);
    };
    return Colour{channel(5), channel(3), channel(1)};
  });
}

/// What `change(row)` makes of colours, by the nodes of a cube.
template <class Change>
void add_cube(const Change& change, nephron::Plan& plan) {
  constexpr float step = 255.0F / (cube_side - 1);
  std::vector<float> values(3 * cube_side * cube_side * cube_side);
  float* to = values.data();
  ColourRow row;
  for (int b = 0; b < cube_side; ++b)
    for (int g = 0; g < cube_side; ++g) {
      for (std::size_t i = 0; i < ColourRow::size; ++i) row.r[i] = step * static_cast<float>(i);
      row.g.fill(step * static_cast<float>(g));
      row.b.fill(step * static_cast<float>(b));
      change(row);
      for (std::size_t i = 0; i < cube_side; ++i) *to++ = row.r[i], *to++ = row.g[i], *to++ = row.b[i];
    }
  plan.colour_cube(cube_side, values);
}
