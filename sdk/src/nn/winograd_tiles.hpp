#pragma once

#include <cstdint>

// 3x3 convolutions of stride 1 and padding 1 by minimal filtering F(4x4, 3x3) (Lavin and Gray 2015, arXiv:1509.09308):
// 36 products a channel for 4x4 outputs in place of 144. Plain pointers and nothing of the standard library: each set
// of instructions has a file of its own, and what files share must not be compiled for one of them.
namespace nephron::nn {

/// Float, or bfloat16 as its bits. Sums are floats in either case.
enum class MapType : std::int32_t { float32, bfloat16 };

/// The polynomials are evaluated at 0, +-a, +-b and infinity. With 1 and 2, which are usual, the error is three to four
/// times as large; powers of these are floats, too.
constexpr float point_a = 0.75F, point_b = 1.5F;
constexpr std::int64_t winograd_points = 36;  ///< 6 x 6

/// Channels of the input that lie together: a map in channels_last.
struct TilePart {
  const void* map = nullptr;
  std::int64_t channels = 0;
  bool doubled = false;  ///< the map is half as high and wide, and enlarged by nearest neighbour as it is read
};

struct TileJob {
  MapType type = MapType::float32;
  std::int64_t height = 0, width = 0;  ///< of what comes out
  TilePart parts[2];                   ///< joined in this order
  std::int64_t channels = 0;           ///< of both
  std::int64_t outputs = 0;            ///< a multiple of `panel`
  std::int64_t panel = 0;              ///< outputs whose weights lie together: TileKernels::lanes or twice that
  const float* weights = nullptr;      ///< [36][outputs / panel][channels][panel]
  const float* bias = nullptr;         ///< [outputs]
  const void* more = nullptr;          ///< added before the activation, as `to` lies; null: nothing
  void* to = nullptr;                  ///< [N, height, width, outputs]
  bool relu = false;
  const float* zeros = nullptr;  ///< as many as either part has channels
};

struct TileKernels {
  std::int64_t lanes = 0;
  std::int64_t rows = 0;  ///< numbers of tiles that are multiples of this are fastest
  /// Tiles [first, first + count) of the job, counted image by image and row by row.
  void (*run)(const TileJob& job, std::int64_t first, std::int64_t count, float* scratch) = nullptr;
};

/// Floats from one point's values to the next one's: an odd number of cache lines, so that they do not all fall into
/// one set of the cache.
constexpr std::int64_t point_stride(std::int64_t tiles, std::int64_t channels) {
  return (((tiles * channels + 15) / 16) | 1) * 16;
}
/// Floats that run() needs.
constexpr std::int64_t scratch_floats(const TileJob& job, std::int64_t count) {
  return winograd_points * (point_stride(count, job.channels) + point_stride(count, job.outputs));
}

/// For the best instructions that this processor has; null: it has none that are worth it.
const TileKernels* tile_kernels() noexcept;

#ifdef __x86_64__
extern const TileKernels tile_kernels_avx2;    ///< with FMA
extern const TileKernels tile_kernels_avx512;  ///< F
#endif

}  // namespace nephron::nn
