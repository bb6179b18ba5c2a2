#pragma once

#include <string>

#include <nephron/image.hpp>

namespace nephron::host {

/// "data:image/jpeg;base64,..." of an RGB picture.
std::string jpeg_uri(const ImageView& picture);

}  // namespace nephron::host
