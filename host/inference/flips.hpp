#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <host/cuda/normalise.hpp>
#include <host/tiling/tile_source.hpp>

// Test-time augmentation by flips: every tile in each of its directions in one batch, and the mean of what comes back.
namespace nephron::host {

/// A direction in which a tile is shown.
struct Flip {
  bool x = false, y = false;
};
/// identity, flip_x, flip_y, flip_xy. Throws Error that lists them when the name is another.
Flip flip_named(const std::string& name);

/// Bytes [n, height, width, 3] on a CPU -> normalised floats [n * flips, 3, height, width], channels_last: the first
/// tile in all directions, then the second.
at::Tensor flipped_inputs(const std::uint8_t* bytes, std::int64_t n, Size size, const std::vector<Flip>& flips,
                          const Normalise& how);

/// Adds the maps [n * flips, classes, height, width] (float, on a CPU), flipped back and times `weight`, to
/// out [n, classes, height, width]. `first`: out is written instead.
void add_flipped_back(const at::Tensor& maps, const std::vector<Flip>& flips, float weight, bool first, float* out);

}  // namespace nephron::host
