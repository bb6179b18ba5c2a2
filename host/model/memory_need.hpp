#pragma once

#include <cstdint>
#include <string>

#include <host/model/model.hpp>

namespace nephron::host {

/// What a model's pass takes.
struct PassMemory {
  double per_pixel = 0;         ///< bytes a pixel of the batch: what the backward will read, or the most at a time
  std::int64_t parameters = 0;  ///< bytes of parameters and buffers
};

/// Measured with two small batches on the CPU. `training`: what a forward in training mode keeps, else the peak of
/// one in evaluation mode. The model is not fit for anything else afterwards: statistics and counters have moved.
PassMemory measure_pass(SegmentationModel& model, std::int64_t channels, bool training, std::int64_t tiles = 2);

/// Found by comparing estimates with peaks (tests/integration/train/memory_test.py): gradients of activations and
/// oneDNN's scratch come and go, what malloc keeps lies in pieces; code and threads take their part.
inline constexpr double memory_in_pieces = 1.2;
inline constexpr std::int64_t program_memory = std::int64_t{150} << 20;

/// Bytes that are free on the device (host/util/free_memory.hpp for a CPU).
std::int64_t free_on(c10::Device device);

/// Throws Error when `need` is far more than the memory that is free, warns when it is near: "WHAT needs about 22.4 GB
/// of memory, and 21.0 GB are free". `lower`: what a person can lower.
void require_memory(const std::string& what, std::int64_t need, std::int64_t free, const std::string& lower);

}  // namespace nephron::host
