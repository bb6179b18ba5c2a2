#pragma once

#include <cstdint>
#include <memory>

#include <nephron/slide.hpp>

#include <host/store/reduction.hpp>
#include <host/store/tissue.hpp>
#include <host/tiling/tile_source.hpp>

namespace nephron::host {

/// A reduced picture in memory.
std::unique_ptr<TileSource> held_source(Image reduced);

/// A slide at 1/reduction, bit-equal to read_reduced(). One whose reduced picture takes at most `held_bytes` is read
/// now; of a larger one the rows that are asked for are read when they are asked for, all across, and kept until others
/// are: a row of tiles is read once. Memory: what is held, or those rows, and some 64 MiB. Throws Error for a slide
/// smaller than the reduction.
std::unique_ptr<TileSource> slide_source(std::shared_ptr<const SlideReader> slide, Reduction reduction,
                                         std::int64_t held_bytes = std::int64_t{1} << 28);

/// Whether a slide of this size, reduced, is read at once.
bool is_held(Size reduced, std::int64_t held_bytes);

/// As preparing a slide finds it. All of the source is read.
Tissue tissue_of(const TileSource& source);

}  // namespace nephron::host
