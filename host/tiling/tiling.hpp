#pragma once

#include <cstdint>
#include <vector>

#include <nephron/geometry.hpp>
#include <nephron/image.hpp>

namespace nephron::host {

/// Where tiles of a length start along one side: 0, step, 2 step, ...; the last one is shifted back to end at the
/// border. One start, 0, when the tile covers the side.
std::vector<std::int64_t> tile_starts(std::int64_t extent, std::int64_t tile, std::int64_t step);

/// How a picture is cut. A side shorter than the tile gets a tile of its own length, rounded up to the model's
/// multiple; what lies outside the picture is its reflection.
struct TileGrid {
  Size tile;
  std::vector<std::int64_t> xs;
  std::vector<std::int64_t> ys;
  /// How often the last tile of a row or column counts by the rule of 2021, which starts tiles as long as a start lies
  /// inside the picture and shifts back every one that would overrun.
  std::int64_t last_x_times = 1, last_y_times = 1;
  std::int64_t count() const noexcept { return static_cast<std::int64_t>(xs.size() * ys.size()); }
};

/// `side`: of a tile, a multiple of `multiple`; 0: the whole picture is one tile. Neighbours start int(side / overlap)
/// apart. Throws Error for a side that the model cannot take and for an overlap under 1.
TileGrid tile_grid(Size picture, std::int64_t side, double overlap, std::int64_t multiple);

/// How much a pixel of a tile counts where tiles overlap: less towards its border, in [0.001, 1].
enum class Blending : std::uint8_t {
  pyramid,   ///< falls with the distance to the nearest side, rounded to three decimals; sides must be even
  gaussian,  ///< a bell whose deviation is an eighth of each side
};

/// Weight of each pixel of a tile (f32, one channel).
Image blending_weights(Size tile, Blending blending = Blending::pyramid);

}  // namespace nephron::host
