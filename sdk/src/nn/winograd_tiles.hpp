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

/// Where outputs that lie together go: a map in channels_last. Of two, the first has a multiple of TileKernels::lanes
/// channels.
struct TileOut {
  void* map = nullptr;
  std::int64_t channels = 0;
  bool halved = false;  ///< squares of 2x2 outputs are added: the gradient of a map that was doubled
};

struct TileJob {
  MapType type = MapType::float32;
  std::int64_t height = 0, width = 0;  ///< of what comes out
  TilePart parts[2];                   ///< joined in this order
  std::int64_t channels = 0;           ///< of both
  std::int64_t outputs = 0;            ///< a multiple of `panel`: as many as `outs` have, or a few more
  std::int64_t panel = 0;              ///< outputs whose weights lie together: TileKernels::lanes or twice that
  const float* weights = nullptr;      ///< [36][outputs / panel][channels][panel]
  const float* bias = nullptr;         ///< [outputs]
  TileOut outs[2];                     ///< of all outputs, in this order
  const void* more = nullptr;          ///< added before the activation, as outs[0], which is all, lies; null: nothing
  bool relu = false;
  const float* zeros = nullptr;  ///< as many as either part has channels
};

/// Tiles [first, first + count) of a job, at the points: their inputs, v [36][count][row], and the gradient of what
/// comes out of them, g [36][count][outputs], both point_stride() from point to point.
struct HeldTiles {
  const void* gradient = nullptr;  ///< [N, height, width, outputs], of the job's type
  float* v = nullptr;
  float* g = nullptr;
  std::int64_t row = 0;  ///< the job's channels, and maybe a few more: a multiple of TileKernels::lanes
  std::int64_t first = 0, count = 0;
};

struct TileKernels {
  std::int64_t lanes = 0;
  std::int64_t rows = 0;  ///< numbers of tiles that are multiples of this are fastest
  /// Tiles [first, first + count) of the job, counted image by image and row by row.
  void (*run)(const TileJob& job, std::int64_t first, std::int64_t count, float* scratch) = nullptr;

  // For training (winograd_training.cpp).
  /// Kernels at the points: of one channel, `taps` [9][outputs] to `to` [36], `point` floats apart, each
  /// [outputs / panel][panel] with `row` floats from panel to panel, in whole vectors. `turned`: by half a turn.
  void (*pack)(const float* taps, std::int64_t outputs, bool turned, std::int64_t panel, float* to, std::int64_t point,
               std::int64_t row) = nullptr;
  /// The adjoint: sums at the points, [36], `point` floats apart, each of n channels in whole vectors, to `taps`
  /// [9][n].
  void (*unpack)(const float* sums, std::int64_t n, std::int64_t point, float* taps) = nullptr;
  /// Tiles [begin, end) of those that are held.
  void (*at_points)(const TileJob& job, const HeldTiles& held, std::int64_t begin, std::int64_t end) = nullptr;
  /// sums [outputs][row] += g^T v of one point.
  void (*add_products)(const float* v, const float* g, std::int64_t count, std::int64_t row, std::int64_t outputs,
                       float* sums) = nullptr;
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
