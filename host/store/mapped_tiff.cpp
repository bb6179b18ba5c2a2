#include <host/store/mapped_tiff.hpp>

#include <algorithm>
#include <cstring>

#include <nephron/error.hpp>

#include <host/store/tiff_directory.hpp>
#include <host/store/tiff_writer.hpp>

namespace nephron::host {

namespace {

/// Calls part(tile column, tile row, part inside the tile, part inside the region) for each tile that a region touches.
template <class Part>
void for_each_tile(const Region& region, const Part& part) {
  for (std::int64_t row = region.y / tile_side; row * tile_side < region.y + region.height; ++row) {
    const std::int64_t y0 = std::max(region.y, row * tile_side);
    const std::int64_t y1 = std::min(region.y + region.height, (row + 1) * tile_side);
    for (std::int64_t column = region.x / tile_side; column * tile_side < region.x + region.width; ++column) {
      const std::int64_t x0 = std::max(region.x, column * tile_side);
      const std::int64_t x1 = std::min(region.x + region.width, (column + 1) * tile_side);
      if (!part(column, row, Region{x0 - column * tile_side, y0 - row * tile_side, x1 - x0, y1 - y0},
                Point{static_cast<double>(x0 - region.x), static_cast<double>(y0 - region.y)}))
        return;
    }
  }
}

}  // namespace

MappedTiff::MappedTiff(const std::filesystem::path& file)
    : map_(file), pictures_(read_directories({map_.data(), map_.size()}, file)) {}

const std::uint8_t* MappedTiff::tile(std::size_t picture, std::int64_t column, std::int64_t row) const {
  const Picture& p = pictures_.at(picture);
  return map_.data() + p.offsets.at(static_cast<std::size_t>(row * p.across + column));
}

void MappedTiff::read(std::size_t picture, const Region& region, const ImageView& out) const {
  const Picture& p = pictures_.at(picture);
  if (region.empty() || region.clipped({0, 0, p.size.width, p.size.height}) != region || out.size() != region.size() ||
      out.channels != p.channels || out.depth != Depth::u8)
    throw Error("a region is not inside the prepared picture");
  const auto channels = static_cast<std::size_t>(p.channels);
  constexpr auto side = static_cast<std::size_t>(tile_side);
  for_each_tile(region, [&](std::int64_t column, std::int64_t row, const Region& inside, Point at) {
    const std::uint8_t* from =
        tile(picture, column, row) +
        (static_cast<std::size_t>(inside.y) * side + static_cast<std::size_t>(inside.x)) * channels;
    auto* to = out.row<std::uint8_t>(static_cast<std::int64_t>(at.y)) + static_cast<std::size_t>(at.x) * channels;
    const std::size_t bytes = static_cast<std::size_t>(inside.width) * channels;
    for (std::int64_t y = 0; y < inside.height; ++y, from += side * channels, to += out.stride)
      std::memcpy(to, from, bytes);
    return true;
  });
}

bool MappedTiff::any(std::size_t picture, const Region& region, std::uint8_t bits) const {
  const Picture& p = pictures_.at(picture);
  if (region.empty() || region.clipped({0, 0, p.size.width, p.size.height}) != region || p.channels != 1)
    throw Error("a region is not inside the prepared labels");
  bool found = false;
  for_each_tile(region, [&](std::int64_t column, std::int64_t row, const Region& inside, Point) {
    const std::uint8_t* from = tile(picture, column, row) + inside.y * tile_side + inside.x;
    for (std::int64_t y = 0; y < inside.height && !found; ++y, from += tile_side) {
      std::uint8_t seen = 0;
      for (std::int64_t x = 0; x < inside.width; ++x) seen |= from[x];
      found = (seen & bits) != 0;
    }
    return !found;
  });
  return found;
}

}  // namespace nephron::host
