#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nephron/context.hpp>
#include <nephron/image.hpp>

#include <host/store/reduction.hpp>
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
  bool digest = true;  ///< of every tile, for `store verify` and for runs that are compared
  bool sync = true;    ///< wait until the files are on the disk
};

/// What is to be written where.
struct PictureTarget {
  Reduction reduction;
  std::filesystem::path file;
};

struct WrittenPicture {
  std::int64_t bytes = 0;
  std::string digest;  ///< of its size and pixels: TileDigests
  Tissue tissue;
};

/// Writes a slide at several reductions, ascending, each into a tiled TIFF; each is equal to OpenCV's INTER_AREA of the
/// whole slide, and its file depends on no other. The slide is read once for those that divide the largest, in parts of
/// about a megabyte, by all threads; a thread holds a few tiles, whatever the size of the slide (a row of them when it
/// is stored in strips). `advance` is told how many pixels of level 0 are done, by several threads. Throws Cancelled
/// after Ctrl-C.
std::vector<WrittenPicture> write_pictures(const std::vector<PictureTarget>& targets, const PictureSource& source,
                                           ThreadPool& threads, const std::function<void(std::int64_t)>& advance,
                                           const PictureOptions& options = {});

/// The bytes that one will take.
std::int64_t picture_bytes(Size full, Reduction reduction);

}  // namespace nephron::host
