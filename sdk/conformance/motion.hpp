#pragma once

#include <array>
#include <vector>

#include <nephron/geometry.hpp>

// Has a picture been moved? Told from its pixels alone, by pictures in which each place looks like no other.
namespace nephron::conformance {

/// In hills a colour tells its place, so that any motion of some 5 pixels shows, but only where colours stay. A grain
/// shows small motions to a side as well, whatever is done to colours.
enum class Texture { hills, grain };

/// Of the picture of `texture`, in [0, 1]: a function of the place and channel (0 to 2).
float textured(Texture texture, Size size, std::int64_t x, std::int64_t y, int channel);

/// Three channels, row by row.
struct Planes {
  Size size;
  std::array<std::vector<float>, 3> channels;
};

/// `after` shows most of the textured `before` at other places. Colours, noise, blur, and neighbours that change
/// places are no motion.
bool moved(Texture texture, const Planes& before, const Planes& after);

}  // namespace nephron::conformance
