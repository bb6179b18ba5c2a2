#pragma once

#include <memory>

#include <host/tiling/tile_source.hpp>

namespace nephron::host {

/// A model that is asked about tiles at the picture's own size: each is reduced by area means for `model`, and a
/// probability stands for all pixels that its pixel was made of (what OpenCV's and torch's area interpolation give).
std::unique_ptr<PixelModel> at_full_size(std::unique_ptr<PixelModel> model, int factor);

}  // namespace nephron::host
