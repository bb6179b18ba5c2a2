#pragma once

#include <filesystem>

#include <nephron/image.hpp>

namespace nephron::host {

/// How hard a PNG is packed.
enum class PngPacking {
  fast,  ///< three times as fast; maps of probabilities grow by a few per cent
  usual,
};

/// Writes 8-bit grey or RGB as a PNG, whole or not at all. Throws Error that names the file.
void write_png(const std::filesystem::path& file, const ImageView& image, PngPacking packing = PngPacking::usual);

}  // namespace nephron::host
