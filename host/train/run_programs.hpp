#pragma once

#include <ATen/core/Tensor.h>

#include <host/cuda/normalise.hpp>
#include <host/feed/batch.hpp>

namespace nephron::host {

/// A batch that was made of programs, on a device.
struct MadeBatch {
  at::Tensor images;   ///< [N, 3, H, W] float, normalised; channels last in memory
  at::Tensor targets;  ///< [N, C, H, W] float, 0..1
  at::Tensor ignored;  ///< [N, 1, H, W] byte; undefined where no sample has such pixels
};

/// Carries out the programs of a batch: by kernels on CUDA, where the copy travels through pinned memory and nothing
/// waits, or by loops over the same bodies. `batch` may be reused when it returns.
MadeBatch run_programs(const RawBatch& batch, const Normalise& normalise, c10::Device device);

}  // namespace nephron::host
