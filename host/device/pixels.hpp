#pragma once

#include <ATen/core/Tensor.h>

#include <host/cuda/normalise.hpp>

// Bytes to what networks and losses take, where they lie: on a CPU by threads, on CUDA by kernels with the same body.
namespace nephron::host {

/// RGB bytes [N, H, W, 3] -> normalised floats [N, 3, H, W], channels_last.
at::Tensor normalised(const at::Tensor& bytes, const Normalise& how);

/// Bytes of any shape -> floats in [0, 1].
at::Tensor unit_floats(const at::Tensor& bytes);

}  // namespace nephron::host
