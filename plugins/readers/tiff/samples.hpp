#pragma once

#include <cstdint>

#include "layout.hpp"

namespace tiff_reader {

/// Stored samples to 8 bits, rounded; `swap`: they have the other byte order. May work in place.
void to_8_bit(const Plane& plane, const std::uint8_t* in, std::int64_t count, bool swap, std::uint8_t* out);

/// `count` pixels of `samples` 8-bit samples to where RGB pixels lie: all three, or channel `channel` alone. One or two
/// samples are grey, a fourth is opacity, which is left out.
void scatter(const std::uint8_t* in, int samples, int channel, std::int64_t count, std::uint8_t* rgb);

}  // namespace tiff_reader
