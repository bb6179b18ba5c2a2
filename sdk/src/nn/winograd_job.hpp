#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "winograd_tiles.hpp"

namespace nephron::nn {

/// Outputs whose weights lie together.
std::int64_t panel_of(std::int64_t outputs, const TileKernels& kernels) noexcept;

MapType type_of(const at::Tensor& map);

inline std::int64_t tiles_of(std::int64_t images, std::int64_t height, std::int64_t width) noexcept {
  return images * ((height + 3) / 4) * ((width + 3) / 4);
}

/// The job of a convolution of a map, maybe doubled, and of what is joined to it (may be undefined); its weights, and
/// where outputs go, are the caller's.
TileJob job_of(const at::Tensor& map, bool doubled, const at::Tensor& joined);

/// All tiles of a job, on LibTorch's threads. Which of them does what changes no result.
void run_job(const TileJob& job, const TileKernels& kernels, std::int64_t tiles);

}  // namespace nephron::nn
