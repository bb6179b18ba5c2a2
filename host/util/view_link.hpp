#pragma once

#include <string>

namespace nephron::host {

/// What goes behind the address that `nephron view` prints, for a place of a slide: `x`, `y` in its middle (level-0
/// pixels), at the zoom where `length` pixels of the slide take `screen` pixels of the screen, or a bit fewer.
std::string view_link(const std::string& slide, double x, double y, double length, double screen);

}  // namespace nephron::host
