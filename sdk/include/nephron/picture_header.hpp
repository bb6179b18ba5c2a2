#pragma once

#include <string>

#include <nephron/export.hpp>
#include <nephron/geometry.hpp>

namespace nephron {

/// What the first bytes of a PNG, JPEG or TIFF file claim, without decoding a pixel. Throws Error (without the file's
/// name) for anything else, for a header that is cut short, and for a JPEG without its end.
NEPHRON_API Size picture_size_in(const std::string& bytes);

}  // namespace nephron
