#pragma once

#include <filesystem>
#include <memory>

#include <host/labels/grey_map.hpp>

namespace nephron::host {

/// A tiled TIFF of one channel of 8 bits or of 16-bit floating point; its smaller pages and SubIFDs of the same
/// proportions are levels. Null where it is not tiled. Throws Error that names the file.
std::shared_ptr<const GreyMap> open_tiled_grey(const std::filesystem::path& file);

}  // namespace nephron::host
