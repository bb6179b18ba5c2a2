#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nephron/image.hpp>

#include <host/store/file.hpp>

namespace nephron::host {

/// A TIFF of the store, mapped: reading is copying from the page cache. Opening checks every place in the file that
/// reading will touch, so that no damaged or cut file can lead outside of it. Const calls are thread-safe.
class MappedTiff {
 public:
  struct Picture {
    Size size;
    int channels = 0;
    Depth depth = Depth::u8;
    std::string description;
    std::int64_t across = 0;             ///< tiles
    std::vector<std::uint64_t> offsets;  ///< of tiles
    std::int64_t pixel_bytes() const noexcept { return channels * static_cast<std::int64_t>(bytes_of(depth)); }
  };

  MappedTiff() = default;
  /// Throws Error that names the file and what is wrong with it: the store's files alone are understood.
  explicit MappedTiff(const std::filesystem::path& file);

  const std::vector<Picture>& pictures() const noexcept { return pictures_; }
  std::size_t bytes() const noexcept { return map_.size(); }
  std::int64_t mtime_ns() const noexcept { return map_.mtime_ns(); }
  bool lost() const noexcept { return map_.lost(); }  ///< as MappedFile says
  /// Copies a region, which lies inside the picture, of equal channels and depth.
  void read(std::size_t picture, const Region& region, const ImageView& out) const;
  /// True when a pixel of the region, which lies inside the picture of one channel, has one of the bits.
  bool any(std::size_t picture, const Region& region, std::uint32_t bits) const;
  /// Packed pixels of a tile.
  const std::uint8_t* tile(std::size_t picture, std::int64_t column, std::int64_t row) const;

 private:
  MappedFile map_;
  std::vector<Picture> pictures_;
};

}  // namespace nephron::host
