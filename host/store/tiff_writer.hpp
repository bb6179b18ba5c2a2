#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>

#include <host/store/file.hpp>

namespace nephron::host {

/// Side of the store's tiles: 512 x 512 RGB pixels are a whole number of memory pages.
constexpr std::int64_t tile_side = 512;

/// Tiles across and down that cover a picture.
struct TiffTiles {
  explicit TiffTiles(Size size)
      : across((size.width + tile_side - 1) / tile_side), down((size.height + tile_side - 1) / tile_side) {}
  std::int64_t across, down;
  std::int64_t count() const noexcept { return across * down; }
};

/// Writes an uncompressed tiled TIFF of pictures, the first of which is the main one and the others its
/// reductions. Classic TIFF below 4 GB, BigTIFF above. Tiles begin at whole memory pages. Not written is not stored:
/// such tiles share one blank tile, which every TIFF reader understands (a tile without bytes, many do not).
class TiffWriter {
 public:
  struct Picture {
    Size size;
    int channels = 3;         ///< 1 or 3
    double mpp = 0;           ///< microns per pixel; 0: unknown
    std::string description;  ///< ImageDescription
    int bytes = 1;            ///< of a sample, little-endian: 1, 2 or 4
  };

  /// `sparse`: tiles may stay unwritten, and take their places as they are asked for; otherwise each has its own place.
  /// `sync`: tiles are on their way to the disk at once, and finish() waits until the file is there.
  TiffWriter(const std::filesystem::path& file, std::vector<Picture> pictures, bool sparse, bool sync = true);

  /// Takes the next place for a tile of a sparse file.
  void place_tile(std::size_t picture, std::int64_t column, std::int64_t row);
  /// Thread-safe for tiles that have their places. `pixels`: tile_side x tile_side, packed; what lies outside the
  /// picture is padding.
  void write_tile(std::size_t picture, std::int64_t column, std::int64_t row, const std::uint8_t* pixels);
  /// Writes the directories and closes the file; without it the file is no TIFF. Returns its size.
  std::int64_t finish();

  /// Bytes of such a file when every tile is stored.
  static std::int64_t bytes_of(const std::vector<Picture>& pictures);

 private:
  static std::int64_t tile_bytes(const Picture& picture) {
    return tile_side * tile_side * picture.channels * picture.bytes;
  }
  std::uint64_t& offset(std::size_t picture, std::int64_t column, std::int64_t row);
  std::string directory(std::size_t picture, std::int64_t at, bool last) const;

  OutputFile out_;
  std::vector<Picture> pictures_;
  std::vector<std::vector<std::uint64_t>> offsets_;  ///< a picture's tiles; 0: not written
  std::int64_t end_ = 0;
  bool sparse_, sync_, big_;
};

}  // namespace nephron::host
