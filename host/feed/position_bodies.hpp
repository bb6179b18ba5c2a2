#pragma once

#include <cstddef>
#include <cstdint>

#include <host/feed/quad.hpp>

// The bodies of joined geometric steps, for one pixel: from a position in the result of a step to the position that it
// reads in the picture before it. Positions are pixels, as floats: exact to a thousandth up to 16,000 px, where a place
// is rounded to 1/32. A loop on the CPU runs one body over a row, then the next; a thin kernel on a GPU all of them for
// its pixel: the arithmetic is the same.
namespace nephron::host {

struct AffinePosition {
  float m[6];
  NEPHRON_HOST_DEVICE void operator()(float& x, float& y) const {
    const float u = m[0] * x + m[1] * y + m[2];
    y = m[3] * x + m[4] * y + m[5];
    x = u;
  }
};

/// A grid of displacements, as Plan::displacement() has it, at any position of the picture.
struct GridPosition {
  const float* nodes;     ///< [down][across][2]
  std::ptrdiff_t stride;  ///< of a row of nodes, in floats
  std::int32_t across, down;
  std::int32_t spacing;   ///< pixels between nodes
  float nodes_per_pixel;  ///< 1 / spacing

  NEPHRON_HOST_DEVICE void operator()(float& x, float& y) const {
    const float u = x * nodes_per_pixel, v = y * nodes_per_pixel;
    const std::int32_t i = cell(u, across), j = cell(v, down);
    const float right = u - static_cast<float>(i), below = v - static_cast<float>(j);
    const float* at = nodes + j * stride + 2 * i;
    float moved[2];
    for (int c = 0; c < 2; ++c) {
      const float before = at[c] + (at[stride + c] - at[c]) * below,
                  after = at[2 + c] + (at[stride + 2 + c] - at[2 + c]) * below;
      moved[c] = before + (after - before) * right;
    }
    x += moved[0], y += moved[1];
  }

 private:
  NEPHRON_HOST_DEVICE static std::int32_t cell(float at, std::int32_t nodes) {
    const auto node = static_cast<std::int32_t>(at);
    return node < 0 ? 0 : node > nodes - 2 ? nodes - 2 : node;
  }
};

/// The edge of the picture between two steps.
struct EdgePosition {
  float right, bottom;  ///< of the outermost pixels
  bool reflect;

  NEPHRON_HOST_DEVICE bool has(float x, float y) const { return x >= 0 && x <= right && y >= 0 && y <= bottom; }
  /// False for a pixel that is black. Those that lie outside by less than half a pixel are the outermost ones.
  NEPHRON_HOST_DEVICE bool operator()(float& x, float& y) const {
    if (has(x, y)) return true;
    if (reflect) {
      x = reflected(x, right), y = reflected(y, bottom);
      return true;
    }
    if (!(x > -0.5F && x < right + 0.5F && y > -0.5F && y < bottom + 0.5F)) return false;
    x = x < 0 ? 0 : x > right ? right : x;
    y = y < 0 ? 0 : y > bottom ? bottom : y;
    return true;
  }

 private:
  NEPHRON_HOST_DEVICE static float reflected(float p, float last) {
    if (last == 0) return 0;
    float q = p < 0 ? -p : p;
    if (q > 2 * last) q -= 2 * last * static_cast<float>(static_cast<std::int64_t>(q / (2 * last)));
    return q > last ? 2 * last - q : q;
  }
};

}  // namespace nephron::host
