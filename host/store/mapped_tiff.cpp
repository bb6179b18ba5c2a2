#include <host/store/mapped_tiff.hpp>

#include <algorithm>
#include <cstring>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/store/tiff_directory.hpp>
#include <host/store/tiff_writer.hpp>

namespace nephron::host {

namespace {

/// Calls part(tile column, part inside the tile, x inside the region) for each tile of a row that a region touches.
template <class Part>
void for_each_column(const Region& region, std::int64_t row, const Part& part) {
  const std::int64_t y0 = std::max(region.y, row * tile_side);
  const std::int64_t y1 = std::min(region.y + region.height, (row + 1) * tile_side);
  for (std::int64_t column = region.x / tile_side; column * tile_side < region.x + region.width; ++column) {
    const std::int64_t x0 = std::max(region.x, column * tile_side);
    const std::int64_t x1 = std::min(region.x + region.width, (column + 1) * tile_side);
    part(column, Region{x0 - column * tile_side, y0 - row * tile_side, x1 - x0, y1 - y0}, x0 - region.x);
  }
}

/// The rows of a tile that go into a region.
struct Piece {
  const std::uint8_t* from;
  std::ptrdiff_t to;  ///< bytes from the left of the region
  std::size_t bytes;  ///< of a row
};

void prefetch(const std::uint8_t* at, std::size_t bytes) {
  constexpr std::size_t cache_line = 64;
  for (std::size_t i = 0; i < bytes; i += cache_line) __builtin_prefetch(at + i);
}

/// Copies rows of pieces that lie side by side. The processor's own prefetching stops where a row leaves the piece and
/// at the end of a page, and it fetches what is written late: fetching a row of each ahead brings the copy near the
/// speed of a single large one.
void copy_rows(std::vector<Piece>& pieces, std::int64_t rows, std::ptrdiff_t from_stride, std::uint8_t* to,
               std::ptrdiff_t to_stride) {
  constexpr std::int64_t ahead = 3;
  for (std::int64_t left = rows; left > 0; --left, to += to_stride)
    for (Piece& piece : pieces) {
      if (left > ahead) prefetch(piece.from + ahead * from_stride, piece.bytes);
      if (left > 1) prefetch(to + to_stride + piece.to, piece.bytes);
      std::memcpy(to + piece.to, piece.from, piece.bytes);
      piece.from += from_stride;
    }
}

/// True when a pixel of a part of a tile has one of the bits. Rows are asked whole: the compiler reads many at once.
template <class T>
bool any_in(const std::uint8_t* tile, const Region& inside, std::uint32_t bits) {
  const std::uint8_t* row = tile + (inside.y * tile_side + inside.x) * static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t y = 0; y < inside.height; ++y, row += tile_side * static_cast<std::int64_t>(sizeof(T))) {
    T seen = 0;
    for (std::int64_t x = 0; x < inside.width; ++x) {
      T pixel;
      std::memcpy(&pixel, row + x * static_cast<std::int64_t>(sizeof(T)), sizeof(T));  // a file lies as it lies
      seen = static_cast<T>(seen | pixel);
    }
    if ((seen & bits) != 0) return true;
  }
  return false;
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
      out.channels != p.channels || out.depth != p.depth)
    throw Error("a region is not inside the prepared picture");
  const std::ptrdiff_t pixel = p.pixel_bytes();
  std::vector<Piece> pieces;
  for (std::int64_t row = region.y / tile_side; row * tile_side < region.y + region.height; ++row) {
    pieces.clear();
    std::int64_t rows = 0;
    for_each_column(region, row, [&](std::int64_t column, const Region& inside, std::int64_t x) {
      pieces.push_back({tile(picture, column, row) + (inside.y * tile_side + inside.x) * pixel, x * pixel,
                        static_cast<std::size_t>(inside.width * pixel)});
      rows = inside.height;
    });
    copy_rows(pieces, rows, tile_side * pixel, out.row<std::uint8_t>(std::max(region.y, row * tile_side) - region.y),
              out.stride);
  }
}

bool MappedTiff::any(std::size_t picture, const Region& region, std::uint32_t bits) const {
  const Picture& p = pictures_.at(picture);
  if (region.empty() || region.clipped({0, 0, p.size.width, p.size.height}) != region || p.channels != 1)
    throw Error("a region is not inside the prepared labels");
  bool found = false;
  for (std::int64_t row = region.y / tile_side; !found && row * tile_side < region.y + region.height; ++row)
    for_each_column(region, row, [&](std::int64_t column, const Region& inside, std::int64_t) {
      with_label_type(p.depth, [&](auto zero) {
        found = found || any_in<decltype(zero)>(tile(picture, column, row), inside, bits);
      });
    });
  return found;
}

}  // namespace nephron::host
