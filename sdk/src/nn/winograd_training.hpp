#pragma once

#include <ATen/core/Tensor.h>

namespace nephron::nn {

/// What a 3x3 convolution of stride 1 and padding 1 is of.
struct TrainedConv {
  at::Tensor map;          ///< [N, C, H, W]
  bool doubled = false;    ///< upsampled to twice its size by nearest neighbour
  at::Tensor joined = {};  ///< after it, of the size of what comes out; may be undefined
  at::Tensor weight;       ///< [O, C, 3, 3] float, of all channels
};

/// Whether it is computed by minimal filtering while gradients are recorded: there are kernels for this processor and
/// these channels, and tiles enough for their weights at the points to be worth making.
bool trains_by_filtering(const TrainedConv& conv);

/// The convolution, differentiable in maps and weight: it, and both of its gradients, by minimal filtering
/// (winograd_tiles.hpp). In channels_last, of the maps' type; sums are floats. Where trains_by_filtering().
at::Tensor filtered_conv(const TrainedConv& conv);

}  // namespace nephron::nn
