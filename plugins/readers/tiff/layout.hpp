#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nephron/slide.hpp>

#include "directory.hpp"

namespace tiff_reader {

enum class Coding : std::uint8_t {
  raw,           ///< bytes of the file are pixels
  whole,         ///< libtiff decodes a tile or strip
  rows,          ///< libtiff decodes rows one after the other: strips too large to be held
  jpeg2000,      ///< RGB
  jpeg2000_ycc,  ///< Aperio's 33003
};

/// Samples of one level that lie together: RGB pixels, or one channel.
struct Plane {
  Directory directory;
  Coding coding = Coding::whole;
  int sample = 0;                            ///< where the directory stores samples apart: which one
  int channel = -1;                          ///< of RGB that this gives; -1: all (RGB, or grey)
  Size chunk;                                ///< what is read at once: a tile, a strip, or a part of one
  bool swap = false;                         ///< raw 16-bit samples have the other byte order
  std::vector<std::uint64_t> places, bytes;  ///< of the tiles or strips of this plane; 0 bytes: never written, black

  int samples() const noexcept { return directory.chunk_samples(); }
  std::int64_t row_bytes() const noexcept { return chunk.width * samples() * directory.sample_bytes(); }
  std::int64_t across() const noexcept { return (directory.size.width + chunk.width - 1) / chunk.width; }
  bool inverted() const noexcept { return directory.photometric == 0; }
};

struct Level {
  Size size;
  std::vector<Plane> planes;
};

struct Layout {
  std::vector<Level> levels;
  nephron::SlideHeader header;
};

/// Which pixels of the file are the slide. `scale_16_bit`: 16-bit pixels are wanted, as 8 bits. Throws Error that names
/// the file for what is damaged, cut short, or not understood.
Layout read_layout(Handle& handle, const std::filesystem::path& file, bool scale_16_bit);

}  // namespace tiff_reader
