#pragma once

#include <cstddef>
#include <cstdint>

namespace nephron::host {

/// The pixels of the source that one pixel is the mean of.
struct Block {
  static constexpr int most = 2048;  ///< of either side
  int width = 1, height = 1;
};

/// One row of `n` RGB pixels, each the mean of a block of the rows at `from`, which lie `stride` bytes apart. Rounded
/// as OpenCV does: 2 x 2 half up, others half to even. Reads and writes nothing beyond its pixels.
void area_row(const std::uint8_t* from, std::ptrdiff_t stride, Block block, std::int64_t n, std::uint8_t* to);
/// The same without SIMD: what tests compare with, and what other processors run.
void area_row_portable(const std::uint8_t* from, std::ptrdiff_t stride, Block block, std::int64_t n, std::uint8_t* to);

}  // namespace nephron::host
