#pragma once

#include <cstddef>
#include <cstdint>

namespace nephron::host {

/// One row of `n` RGB pixels, each the mean of factor x factor pixels of the rows at `from`, which lie `stride` bytes
/// apart. Rounded as OpenCV does: factor 2 half up, others half to even. Reads and writes nothing beyond its pixels.
void area_row(const std::uint8_t* from, std::ptrdiff_t stride, int factor, std::int64_t n, std::uint8_t* to);
/// The same without SIMD: what tests compare with, and what other processors run.
void area_row_portable(const std::uint8_t* from, std::ptrdiff_t stride, int factor, std::int64_t n, std::uint8_t* to);

}  // namespace nephron::host
