#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include <nephron/image.hpp>

#include <host/util/stop.hpp>

namespace nephron::host {

/// A map of one 8-bit channel at several sizes, the largest first. Const calls are thread-safe.
class GreyMap {
 public:
  virtual ~GreyMap() = default;
  virtual const std::vector<Size>& levels() const noexcept = 0;
  /// Fills `out` with a region of a level, which lies inside it. Throws Error that names the file.
  virtual void read(std::size_t level, const Region& region, const ImageView& out) const = 0;
  virtual std::size_t held_bytes() const noexcept = 0;
  const Size& size() const noexcept { return levels().front(); }
};

/// A probability map as `nephron predict` writes it: a PNG, which is held in memory (at half its size where it has more
/// than 2^27 pixels), or a tiled TIFF with smaller pages, of which tiles are read when they are asked for; a tile that
/// is not in the file is 0. Throws Error that names the file, Cancelled when `stop` says so.
std::shared_ptr<const GreyMap> open_grey_map(const std::filesystem::path& file, const Stop& stop);

/// A region of a slide that a map of whatever size covers, brought to `size`: means where it is reduced.
Image grey_part(const GreyMap& map, Size slide, const Region& region, Size size, const Stop& stop);

}  // namespace nephron::host
