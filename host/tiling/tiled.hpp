#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <host/tiling/tile_source.hpp>
#include <host/tiling/tiling.hpp>

namespace nephron::host {

struct TilingOptions {
  std::int64_t tile = 256;  ///< side at the source's level; 0: the whole source at once
  double overlap = 1.5;
  std::int64_t batch = 8;  ///< tiles a call of the model
  /// Told after each batch: tiles done, tiles in all. Throws Cancelled to stop.
  std::function<void(std::int64_t, std::int64_t)> progress;
  /// Whether the model is asked about a tile; pixels of no such tile have probability 0. None: about all.
  std::function<bool(const Region&)> wanted = {};
  Blending blending = Blending::pyramid;
  /// As the reference joined tiles in 2021: sums and quotients in half precision, and the last tile of a row or column
  /// as often as its rule repeats it.
  bool as_reference = false;
  /// Rows above this one are known: neither computed nor handed on. Those below are, bit for bit, as if none was known.
  std::int64_t from_row = 0;
  /// Whose weights say what of which picture, for the error where that is no number.
  std::string network = "the network", picture = "the picture";
  std::string remedy =  ///< what a person does about it
      "Its weights are damaged, or training ended in numbers that are not finite: take another checkpoint "
      "(--checkpoint best, last). With lower precision than fp32, try fp32.";
};

/// The tiles of a grid that `wanted` names, a list for each of its rows, left to right.
std::vector<std::vector<Region>> tile_rows(const TileGrid& grid, const std::function<bool(const Region&)>& wanted);

/// Predicts a source tile by tile and joins what overlaps: sum(w p) / sum(w). Memory: one row of tiles.
/// Throws Error where the model says of a tile what is not finite, which compares as "nothing found" ever after.
void predict_tiled(const TileSource& source, PixelModel& model, const TilingOptions& options, ProbabilitySink& sink);

}  // namespace nephron::host
