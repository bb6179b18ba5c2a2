#pragma once

#include <filesystem>
#include <string>

#include <nephron/slide.hpp>

namespace nephron::host {

/// How a slide's file is laid out. Slides of one archive differ in it, which is why it is written on purpose.
struct TiffStyle {
  enum class Axes {
    yxc,    ///< (H, W, 3): a pixel's three samples together
    cyx,    ///< (3, H, W): one page, a plane a channel
    pages,  ///< (1, 1, 3, H, W): three pages of one channel, as ImageJ writes them
    ome,    ///< (3, H, W) as OME-TIFF
  };
  Axes axes = Axes::yxc;
  bool tiled = false;   ///< tiles of 256 x 256 px; otherwise strips of 64 rows
  bool jpeg = false;    ///< JPEG of quality 90 (yxc only); otherwise deflate
  bool aperio = false;  ///< description as Aperio's scanners write it
  bool big = false;     ///< BigTIFF
};

/// Writes a whole slide as one TIFF, in bounded memory, under a temporary name first. Throws Error that names the file,
/// and Cancelled after Ctrl-C, when nothing is left behind.
void write_slide_tiff(const std::filesystem::path& file, const SlideReader& slide, double mpp, const TiffStyle& style);

}  // namespace nephron::host
