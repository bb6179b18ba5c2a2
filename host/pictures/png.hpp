#pragma once

#include <filesystem>

#include <nephron/image.hpp>

namespace nephron::host {

/// How hard a PNG is packed.
enum class PngPacking {
  fast,  ///< three times as fast; maps of probabilities grow by a few per cent
  usual,
};

/// Writes grey (8 or 16 bits) or 8-bit RGB as a PNG, whole or not at all. Throws Error that names the file.
void write_png(const std::filesystem::path& file, const ImageView& image, PngPacking packing = PngPacking::usual);

/// Reads one u8 channel. Throws Error that names the file, also for a PNG of another kind.
Image read_grey_png(const std::filesystem::path& file);

}  // namespace nephron::host
