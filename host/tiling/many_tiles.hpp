#pragma once

#include <cmath>
#include <cstdint>

#include <nephron/geometry.hpp>

namespace nephron::host {

/// Slides of more tiles are worth looking for glass, and going on with. `tile`: 0: there is one.
inline bool has_many_tiles(Size picture, std::int64_t tile, double overlap) {
  constexpr double few_tiles = 64;
  if (tile <= 0) return false;
  const double step = static_cast<double>(tile) / overlap;
  return std::ceil(static_cast<double>(picture.width) / step) * std::ceil(static_cast<double>(picture.height) / step) >
         few_tiles;
}

}  // namespace nephron::host
