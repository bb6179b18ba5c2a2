#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nephron/context.hpp>
#include <nephron/image.hpp>

#include <host/store/tissue.hpp>

namespace nephron::host {

/// Where the pixels of a slide come from.
struct PictureSource {
  Size size;
  double mpp = 0;
  /// As the file holds them: regions along these cost least. Empty: any region is as good. Strips are as wide as the
  /// slide.
  Size tile;
  /// Fills a region of level 0, u8 RGB. Called by several threads at once.
  std::function<void(const Region&, const ImageView&)> read;
};

struct PictureOptions {
  bool digest = true;  ///< of every tile, for `store verify`
  bool sync = true;    ///< wait until the file is on the disk
};

struct WrittenPicture {
  std::int64_t bytes = 0;
  std::string digest;  ///< of its tiles
  Tissue tissue;
};

/// Writes a slide at several reductions, ascending, into one tiled TIFF; each is equal to OpenCV's INTER_AREA of the
/// whole slide. The slide is read once where every factor divides the largest, in parts of about a megabyte, by all
/// threads; a thread holds a few tiles, whatever the size of the slide (a row of them when it is stored in strips).
/// `advance` is told how many pixels of level 0 are done, by several threads. Throws Cancelled after Ctrl-C.
WrittenPicture write_picture(const std::filesystem::path& file, const PictureSource& source,
                             const std::vector<int>& factors, ThreadPool& threads,
                             const std::function<void(std::int64_t)>& advance, const PictureOptions& options = {});

/// The bytes that it will take.
std::int64_t picture_bytes(Size full, const std::vector<int>& factors);

}  // namespace nephron::host
