#pragma once

#include <host/config/experiment.hpp>
#include <host/data/prepared.hpp>
#include <host/tiling/many_tiles.hpp>

namespace nephron::host {

/// Whether tiles of nothing but glass are left out of a slide: it has many tiles, and its colours tell where tissue is.
/// Of one that has no tissue by them, such as one of fluorescence, nothing is known.
inline bool skips_glass(const PreparedSlide& slide, const Experiment& experiment) {
  return has_many_tiles(slide.size(), experiment.data.tile, experiment.predict.overlap) && slide.catalog().tissue != 0;
}

}  // namespace nephron::host
