#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <host/feed/warp_bodies.hpp>

namespace nephron::host {

/// Where the pixels of a row are read: the x of their Place, and the y.
struct PlaceRow {
  std::vector<std::int32_t> x, y;
  std::size_t size() const noexcept { return x.size(); }
  void resize(std::size_t n) { x.resize(n), y.resize(n); }
};

/// RGB, interpolated; places in 1/32 px. With AVX2 eight pixels at once, where all of them lie in the picture: the
/// bytes are LinearPixel's.
void read_linear_row(const HeldPixels& from, bool reflect, const PlaceRow& places, std::uint8_t* out);
/// A plane of `bytes` (1, 2 or 4) a pixel, the nearest of them; places in pixels.
void read_nearest_row(const HeldPixels& from, bool reflect, std::size_t bytes, const PlaceRow& places,
                      std::uint8_t* out);

}  // namespace nephron::host
