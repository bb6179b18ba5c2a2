#pragma once

#include <string>

#include <nephron/image.hpp>

namespace nephron::host {

/// "data:image/jpeg;base64,..." of an RGB picture; `quality` to 100.
std::string jpeg_uri(const ImageView& picture, int quality = 85);

}  // namespace nephron::host
