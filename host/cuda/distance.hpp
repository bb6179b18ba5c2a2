#pragma once

#include <ATen/core/Tensor.h>

namespace nephron::host {

/// signed_distance() (<nephron/loss_input.hpp>) of masks [N, C, H, W], made where they lie: on CUDA by kernels, in the
/// order of the current stream.
at::Tensor distance_of(const at::Tensor& target);

}  // namespace nephron::host
