#pragma once

#include <cstdint>
#include <string>

#include <nephron/geometry.hpp>

namespace image_folder {

/// What the first bytes of a PNG, JPEG or TIFF file claim, without decoding a pixel. Throws nephron::Error (without
/// the file's name) for anything else, for a header that is cut short, and for a JPEG without its end.
nephron::Size size_in_header(const std::string& bytes);

}  // namespace image_folder
