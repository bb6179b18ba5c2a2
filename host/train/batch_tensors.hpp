#pragma once

#include <ATen/core/Tensor.h>

#include <host/cuda/normalise.hpp>
#include <host/feed/batch.hpp>

namespace nephron::host {

/// A batch as the model takes it.
struct BatchTensors {
  at::Tensor images = {};   ///< [N, 3, H, W] float, normalised
  at::Tensor targets = {};  ///< [N, C, H, W] float, 0..1
  at::Tensor weights = {};  ///< [N, C] float
  /// The same where the CPU reads them without waiting for the device; undefined when they are no longer the same.
  at::Tensor known_weights = {};
  /// [N, C, H, W] float: how much each pixel counts; undefined when all count alike.
  at::Tensor pixel_weights = {};
};

/// Copies a batch to the device and normalises it there. `batch` may be reused when this returns; on CUDA the copies
/// may still be under way then, in the order of the current stream.
BatchTensors to_tensors(const RawBatch& batch, const Normalise& normalise, c10::Device device, bool channels_last);

}  // namespace nephron::host
