#include <host/tiling/tiling.hpp>

#include <algorithm>
#include <cmath>
#include <string>

#include <nephron/error.hpp>

namespace nephron::host {

std::vector<std::int64_t> tile_starts(std::int64_t extent, std::int64_t tile, std::int64_t step) {
  std::vector<std::int64_t> starts{0};
  for (std::int64_t x = 0; x + tile < extent;) {
    x += step;
    starts.push_back(std::min(x, extent - tile));
  }
  return starts;
}

TileGrid tile_grid(Size picture, std::int64_t side, double overlap, std::int64_t multiple) {
  if (side < 0 || side % multiple != 0)
    throw Error("a tile of " + std::to_string(side) + " px does not suit the model: its sides must be multiples of " +
                    std::to_string(multiple),
                "The nearest that do: " + std::to_string(std::max<std::int64_t>(1, side / multiple) * multiple) +
                    " and " + std::to_string((std::max<std::int64_t>(0, side) / multiple + 1) * multiple) + ".");
  if (!(overlap >= 1))
    throw Error("the overlap must be at least 1 (1.5: tiles start two thirds of a tile apart), not " +
                std::to_string(overlap));
  const auto up = [&](std::int64_t n) { return (n + multiple - 1) / multiple * multiple; };
  const auto length = [&](std::int64_t n) { return side == 0 ? up(n) : std::min(side, up(n)); };
  const auto step = [&](std::int64_t tile) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(tile) / overlap));
  };
  const auto last_times = [&](std::int64_t extent, std::int64_t tile, const std::vector<std::int64_t>& starts) {
    const std::int64_t all = (extent + step(tile) - 1) / step(tile);
    return std::max<std::int64_t>(1, all - static_cast<std::int64_t>(starts.size()) + 1);
  };
  TileGrid grid;
  grid.tile = {length(picture.width), length(picture.height)};
  grid.xs = tile_starts(picture.width, grid.tile.width, step(grid.tile.width));
  grid.ys = tile_starts(picture.height, grid.tile.height, step(grid.tile.height));
  grid.last_x_times = last_times(picture.width, grid.tile.width, grid.xs);
  grid.last_y_times = last_times(picture.height, grid.tile.height, grid.ys);
  return grid;
}

namespace {

/// 1, 2, ..., n/2, n/2, ..., 2, 1, divided by n/2.
std::vector<double> ramp(std::int64_t n) {
  const std::int64_t half = n / 2;
  std::vector<double> values(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i)
    values[static_cast<std::size_t>(i)] = static_cast<double>(std::min(i, n - 1 - i) + 1) / static_cast<double>(half);
  return values;
}

constexpr double least_weight = 1e-3;

Image pyramid(Size tile) {
  if (tile.empty() || tile.width % 2 != 0 || tile.height % 2 != 0)
    throw Error("blending needs tiles with even sides, not " + std::to_string(tile.width) + " x " +
                std::to_string(tile.height));
  const std::vector<double> across = ramp(tile.width), down = ramp(tile.height);
  const double low = std::min(across.front(), down.front()), high = 1;
  Image weights(tile, 1, Depth::f32);
  for (std::int64_t y = 0; y < tile.height; ++y) {
    float* const row = weights.view().row<float>(y);
    for (std::int64_t x = 0; x < tile.width; ++x) {
      const double w = std::min(across[static_cast<std::size_t>(x)], down[static_cast<std::size_t>(y)]);
      const double scaled = std::clamp((w - low + 1e-6) / (high - low + 1e-6), least_weight, 1.0);
      row[x] = static_cast<float>(std::nearbyint(scaled * 1000) / 1000);
    }
  }
  return weights;
}

/// exp(-d^2 / 2) of the distance from the middle, in deviations.
std::vector<double> bell(std::int64_t n) {
  std::vector<double> values(static_cast<std::size_t>(n));
  const double middle = static_cast<double>(n - 1) / 2, deviation = static_cast<double>(n) / 8;
  for (std::int64_t i = 0; i < n; ++i) {
    const double d = (static_cast<double>(i) - middle) / deviation;
    values[static_cast<std::size_t>(i)] = std::exp(-d * d / 2);
  }
  return values;
}

Image gaussian(Size tile) {
  const std::vector<double> across = bell(tile.width), down = bell(tile.height);
  Image weights(tile, 1, Depth::f32);
  for (std::int64_t y = 0; y < tile.height; ++y) {
    float* const row = weights.view().row<float>(y);
    for (std::int64_t x = 0; x < tile.width; ++x)
      row[x] = static_cast<float>(
          std::max(least_weight, across[static_cast<std::size_t>(x)] * down[static_cast<std::size_t>(y)]));
  }
  return weights;
}

}  // namespace

Image blending_weights(Size tile, Blending blending) {
  return blending == Blending::gaussian ? gaussian(tile) : pyramid(tile);
}

}  // namespace nephron::host
