#pragma once

#include <cstdint>

// 3x3 convolutions of stride 1 and padding 1 to few channels, as heads are: a vector holds channels of the input, not
// of the output, where it would be nearly empty. Plain pointers and nothing of the standard library: each set of
// instructions has a file of its own, and what files share must not be compiled for one of them.
namespace nephron::nn {

constexpr std::int64_t most_narrow_outputs = 4;

struct NarrowJob {
  bool bfloat16 = false;  ///< maps are bfloat16 as its bits, else floats; sums are floats
  std::int64_t height = 0, width = 0;
  std::int64_t channels = 0;       ///< a multiple of NarrowKernels::lanes
  std::int64_t outputs = 0;        ///< at most most_narrow_outputs
  const void* from = nullptr;      ///< [N, height, width, channels]
  const float* weights = nullptr;  ///< [9][channels / lanes][outputs][lanes]
  const float* bias = nullptr;     ///< [outputs]
  void* to = nullptr;              ///< [N, height, width, outputs]
};

struct NarrowKernels {
  std::int64_t lanes = 0;
  /// Row `row` of all images' rows, counted image by image.
  void (*run)(const NarrowJob& job, std::int64_t row) = nullptr;
};

/// For the best instructions that this processor has; null: it has none that are worth it.
const NarrowKernels* narrow_kernels() noexcept;

#ifdef __x86_64__
extern const NarrowKernels narrow_kernels_avx2;    ///< with FMA
extern const NarrowKernels narrow_kernels_avx512;  ///< F
#endif

}  // namespace nephron::nn
