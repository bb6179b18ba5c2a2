#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>

#include "handle.hpp"

namespace tiff_reader {

using nephron::Size;

/// What one TIFF directory (a page, or a smaller version of one) says. Nothing of it has been believed yet.
struct Directory {
  std::uint64_t place = 0;  ///< of the directory in the file
  int page = 0;             ///< counted from 0; of a smaller version, its page's
  Size size;
  Size chunk;  ///< a tile, or a strip as wide as the page
  bool tiled = false;
  bool separate = false;  ///< one plane a sample
  bool reduced = false;   ///< says that it is a smaller version of another page
  int samples = 1;
  int bits = 1;
  bool unsigned_integers = true;
  bool reversed_bits = false;  ///< the lowest bit comes first
  int orientation = 1;
  unsigned white = 0;  ///< largest value of a sample, where it is stated; 0: it is not
  std::uint16_t compression = 1;
  std::uint16_t photometric = 1;
  std::string description, software, xmp;
  double x_resolution = 0;             ///< pixels a unit; 0 when not stated
  std::uint16_t resolution_unit = 2;   ///< 1 none, 2 inch, 3 cm
  std::vector<std::uint64_t> smaller;  ///< SubIFDs

  std::int64_t across() const noexcept { return (size.width + chunk.width - 1) / chunk.width; }
  std::int64_t down() const noexcept { return (size.height + chunk.height - 1) / chunk.height; }
  std::int64_t sample_bytes() const noexcept { return bits / 8; }
  /// Samples side by side in a chunk.
  int chunk_samples() const noexcept { return separate ? 1 : samples; }
};

/// The selected directory. Throws Error when it does not state a size.
Directory read_directory(Handle& handle, int page, const std::filesystem::path& file);
/// Pages of the file, without their smaller versions; at most `most`.
std::vector<Directory> read_pages(Handle& handle, const std::filesystem::path& file, int most = 1024);

std::string name_of_compression(int compression);

}  // namespace tiff_reader
