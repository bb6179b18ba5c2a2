#pragma once

#include <array>
#include <cstdint>

#include <host/html/canvas.hpp>

namespace nephron::host {

using Rgb = std::array<std::uint8_t, 3>;

/// Of a picture on white.
Rgb rgb_of(Paint paint);

}  // namespace nephron::host
