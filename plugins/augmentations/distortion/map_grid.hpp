#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include <nephron/augmentation.hpp>

// A map of the plane, told by its displacements at the nodes of a grid.

/// The most that linear interpolation between nodes may be off: half of what the host rounds positions to.
inline constexpr double most_off = 1.0 / 64;

/// The widest spacing, of 1, 2, 4, ... 32 px, with which `map` is within most_off of what lies between the nodes.
/// `map(x, y)` is the place that is read for a pixel, and smooth: it is looked at in the middles of 17 x 17 cells.
template <class Map>
int spacing_for(nephron::Size size, const Map& map) {
  constexpr int lattice = 16;
  const auto off = [&](nephron::Point a, nephron::Point b) {
    const nephron::Point from = map(a.x, a.y), to = map(b.x, b.y), middle = map((a.x + b.x) / 2, (a.y + b.y) / 2);
    return std::max(std::abs(middle.x - (from.x + to.x) / 2), std::abs(middle.y - (from.y + to.y) / 2));
  };
  for (int spacing = 32; spacing > 1; spacing /= 2) {
    double worst = 0;
    for (int i = 0; i <= lattice; ++i)
      for (int j = 0; j <= lattice; ++j) {
        const double x = static_cast<double>(size.width) * i / lattice,
                     y = static_cast<double>(size.height) * j / lattice;
        worst = std::max({worst, off({x, y}, {x + spacing, y}), off({x, y}, {x, y + spacing})});
      }
    if (2 * worst <= most_off) return spacing;  // both axes bend
  }
  return 1;
}

template <class Map>
void add_map(nephron::Size size, const Map& map, nephron::Border border, nephron::Plan& plan) {
  const int spacing = spacing_for(size, map);
  const nephron::Image grid(nephron::displacement_nodes(size, spacing), 2, nephron::Depth::f32);
  for (std::int64_t j = 0; j < grid.size().height; ++j) {
    float* out = grid.view().row<float>(j);
    for (std::int64_t i = 0; i < grid.size().width; ++i) {
      const auto x = static_cast<double>(i * spacing), y = static_cast<double>(j * spacing);
      const nephron::Point read = map(x, y);
      *out++ = static_cast<float>(read.x - x);
      *out++ = static_cast<float>(read.y - y);
    }
  }
  plan.displacement(grid, spacing, border);
}
