#pragma once

#include <cstdint>

// Batch normalisation with what follows it, a run of rows at a time. A row holds the channels of one pixel, which is
// how maps in channels_last lie. Plain pointers and nothing of the standard library: each set of instructions has a
// file of its own, and what files share must not be compiled for one of them.
namespace nephron::nn {

/// What is done to z = scale x + offset + more.
enum class RowActivation : std::int32_t { none, relu, relu6, silu };

/// Float, or bfloat16 as its bits.
enum class RowType : std::int32_t { float32, bfloat16 };

struct NormParameters {
  std::int64_t channels = 0;
  const float* scale = nullptr;   ///< weight / deviation
  const float* offset = nullptr;  ///< bias - mean * scale
  const float* mean = nullptr;
  RowActivation activation = RowActivation::none;
};

struct NormRows {
  /// Adds up x - shift and its squares: sums [2, channels].
  void (*statistics)(RowType type, const void* x, std::int64_t rows, std::int64_t channels, const float* shift,
                     float* sums);
  /// y = activation(z). `more`: null: none.
  void (*forward)(RowType type, const NormParameters& p, const void* x, const void* more, void* y, std::int64_t rows);
  /// Adds up the gradient of z and its product with x - mean: sums [2, channels]. `y`: what forward() gave where `more`
  /// was given; null otherwise.
  void (*reduce)(RowType type, const NormParameters& p, const void* x, const void* y, const void* gradient,
                 std::int64_t rows, float* sums);
  /// Gradient of x: scale * (gradient of z - first - second * (x - mean)); `of_more`: that of z, null: not wanted.
  void (*backward)(RowType type, const NormParameters& p, const void* x, const void* y, const void* gradient,
                   const float* first, const float* second, void* of_x, void* of_more, std::int64_t rows);
};

/// For the best instructions that this processor has.
const NormRows& norm_rows() noexcept;

extern const NormRows norm_rows_plain;
#ifdef __x86_64__
extern const NormRows norm_rows_avx2;    ///< with FMA
extern const NormRows norm_rows_avx512;  ///< F
#endif

}  // namespace nephron::nn
