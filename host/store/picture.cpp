#include <host/store/picture.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>

#include <nephron/error.hpp>

#include <host/store/area.hpp>
#include <host/store/digest.hpp>
#include <host/store/tiff_writer.hpp>
#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t tile_bytes = tile_side * tile_side * 3;

std::vector<TiffWriter::Picture> pictures_of(const PictureSource& source, const std::vector<int>& factors) {
  std::vector<TiffWriter::Picture> out;
  for (const int f : factors)
    out.push_back({AreaReduction(source.size, f).size(), 3, source.mpp * f,
                   "{\"nephron\": \"picture\", \"factor\": " + std::to_string(f) + "}"});
  return out;
}

/// Memory that a thread works in, handed on to the next unit of work: fresh memory costs more than the reduction.
struct Buffers {
  std::vector<std::uint8_t> source;
  std::vector<std::vector<std::uint8_t>> tiles;  // a factor: its tiles one after another
};

/// Reductions that are made from one reading of the slide: each factor divides the largest, the last one.
///
/// The slide falls into units: a tile of the largest factor, with the tiles of the others that cover the same pixels;
/// or, where the slide is stored in strips, a whole row of such tiles. A unit is read and reduced in blocks that stay
/// in the cache.
class Group {
 public:
  Group(const PictureSource& source, std::vector<int> factors) : source_(source), largest_(factors.back()) {
    for (const int f : factors) {
      areas_.emplace_back(source.size, f);
      const TiffTiles grid(areas_.back().size());
      const std::int64_t k = largest_ / f;
      across_ = std::max(across_, (grid.across + k - 1) / k);
      down_ = std::max(down_, (grid.down + k - 1) / k);
    }
    const bool strips = source.tile.width >= source.size.width && source.size.width > 2 * tile_side;
    unit_across_ = strips ? across_ : 1;
    constexpr std::int64_t most_block = 1 << 20, few = 32;
    block_width_ = strips ? unit_across_ * tile_side : part_of_tile(source.tile.width);
    block_height_ = part_of_tile(source.tile.height);
    while (block_height_ > 1 && block_height_ * largest_ > few &&
           3 * block_width_ * block_height_ * largest_ * largest_ > most_block)
      block_height_ /= 2;
  }

  std::size_t units() const { return static_cast<std::size_t>(((across_ + unit_across_ - 1) / unit_across_) * down_); }
  const std::vector<AreaReduction>& areas() const { return areas_; }

  /// Reads and reduces a unit. write(factor's place in the group, column, row, pixels) is called for each of its tiles.
  template <class Write, class Advance>
  void run(std::size_t unit, Buffers& buffers, const Write& write, const Advance& advance) const {
    const std::int64_t units_across = (across_ + unit_across_ - 1) / unit_across_;
    const std::int64_t ux = static_cast<std::int64_t>(unit) % units_across * unit_across_;
    const std::int64_t uy = static_cast<std::int64_t>(unit) / units_across;
    prepare(buffers);
    const std::int64_t x0 = ux * tile_side, y0 = uy * tile_side;
    for (std::int64_t y = 0; y < tile_side; y += block_height_)
      for (std::int64_t x = 0; x < unit_across_ * tile_side; x += block_width_) {
        if (interrupted()) throw Cancelled();
        advance(block(buffers, {x0 + x, y0 + y, block_width_, block_height_}, ux, uy));
      }
    for (std::size_t i = 0; i < areas_.size(); ++i) {
      const std::int64_t k = largest_ / areas_[i].factor();
      const TiffTiles grid(areas_[i].size());
      for (std::int64_t row = uy * k; row < std::min(grid.down, (uy + 1) * k); ++row)
        for (std::int64_t column = ux * k; column < std::min(grid.across, (ux + unit_across_) * k); ++column)
          write(i, column, row, tile(buffers, i, column - ux * k, row - uy * k));
    }
  }

 private:
  /// The largest power-of-two part of a tile, in pixels of the largest factor, that is about a tile of the source.
  std::int64_t part_of_tile(std::int64_t stored) const {
    const std::int64_t wanted = stored >= 512 && stored <= 1024 ? stored : 512;
    std::int64_t part = 1;
    while (part < tile_side && 2 * part * largest_ <= wanted) part *= 2;
    return part;
  }

  void prepare(Buffers& buffers) const {
    buffers.tiles.resize(areas_.size());
    for (std::size_t i = 0; i < areas_.size(); ++i) {
      const std::int64_t k = largest_ / areas_[i].factor();
      buffers.tiles[i].resize(static_cast<std::size_t>(k * k * unit_across_ * tile_bytes));
    }
  }

  std::uint8_t* tile(Buffers& buffers, std::size_t i, std::int64_t column, std::int64_t row) const {
    const std::int64_t across = unit_across_ * (largest_ / areas_[i].factor());
    return buffers.tiles[i].data() + (row * across + column) * tile_bytes;
  }

  /// `block`: in pixels of the largest factor. Returns the pixels of level 0 that were read.
  std::int64_t block(Buffers& buffers, const Region& block, std::int64_t ux, std::int64_t uy) const {
    std::vector<Region> parts;
    Region from;
    for (const AreaReduction& area : areas_) {
      const std::int64_t k = largest_ / area.factor();
      const Region part = Region{block.x * k, block.y * k, block.width * k, block.height * k}.clipped(
          {0, 0, area.size().width, area.size().height});
      parts.push_back(part);
      if (!part.empty()) from = joined(from, area.source_of(part));
    }
    if (from.empty()) return blank(buffers, parts, block, ux, uy), 0;
    buffers.source.resize(std::max(buffers.source.size(), static_cast<std::size_t>(3 * from.width * from.height)));
    const ImageView pixels{buffers.source.data(), from.width, from.height, 3, Depth::u8, 3 * from.width};
    source_.read(from, pixels);
    blank(buffers, parts, block, ux, uy);
    for (std::size_t i = 0; i < areas_.size(); ++i)
      each_tile(i, parts[i], ux, uy,
                [&](std::int64_t column, std::int64_t row, const Region& part, const Region& inside) {
                  areas_[i].reduce(pixels, from, part, tile_view(buffers, i, column, row).crop(inside));
                });
    return from.width * from.height;
  }

  ImageView tile_view(Buffers& buffers, std::size_t i, std::int64_t column, std::int64_t row) const {
    return {tile(buffers, i, column, row), tile_side, tile_side, 3, Depth::u8, 3 * tile_side};
  }

  /// Padding of tiles at the far edges is white; it is filled where a block is not covered by the picture.
  void blank(Buffers& buffers, const std::vector<Region>& parts, const Region& block, std::int64_t ux,
             std::int64_t uy) const {
    for (std::size_t i = 0; i < areas_.size(); ++i) {
      const std::int64_t k = largest_ / areas_[i].factor();
      const Region all{block.x * k, block.y * k, block.width * k, block.height * k};
      if (parts[i].size() == all.size()) continue;
      each_tile(i, all, ux, uy, [&](std::int64_t column, std::int64_t row, const Region&, const Region& inside) {
        const ImageView view = tile_view(buffers, i, column, row).crop(inside);
        for (std::int64_t y = 0; y < view.height; ++y)
          std::memset(view.row<std::uint8_t>(y), 255, static_cast<std::size_t>(3 * view.width));
      });
    }
  }

  /// Calls each(column and row in the unit, part of the level, the same inside the tile) for tiles that `part` touches.
  template <class Each>
  void each_tile(std::size_t i, const Region& part, std::int64_t ux, std::int64_t uy, const Each& each) const {
    if (part.empty()) return;
    const std::int64_t k = largest_ / areas_[i].factor();
    for (std::int64_t row = part.y / tile_side; row * tile_side < part.y + part.height; ++row)
      for (std::int64_t column = part.x / tile_side; column * tile_side < part.x + part.width; ++column) {
        const Region piece = part.clipped({column * tile_side, row * tile_side, tile_side, tile_side});
        each(column - ux * k, row - uy * k, piece,
             Region{piece.x - column * tile_side, piece.y - row * tile_side, piece.width, piece.height});
      }
  }

  static Region joined(const Region& a, const Region& b) {
    if (a.empty()) return b;
    const std::int64_t x = std::min(a.x, b.x), y = std::min(a.y, b.y);
    return {x, y, std::max(a.x + a.width, b.x + b.width) - x, std::max(a.y + a.height, b.y + b.height) - y};
  }

  const PictureSource& source_;
  int largest_;
  std::vector<AreaReduction> areas_;
  std::int64_t across_ = 0, down_ = 0;  // tiles of the largest factor
  std::int64_t unit_across_ = 1;
  std::int64_t block_width_ = 1, block_height_ = 1;  // in pixels of the largest factor
};

/// Factors that divide a larger one go with it.
std::vector<std::vector<int>> groups_of(std::vector<int> factors) {
  std::vector<std::vector<int>> out;
  while (!factors.empty()) {
    const int largest = factors.back();
    auto& group = out.emplace_back();
    for (const int f : factors)
      if (largest % f == 0) group.push_back(f);
    std::erase_if(factors, [&](int f) { return largest % f == 0; });
  }
  return out;
}

}  // namespace

std::int64_t picture_bytes(Size full, const std::vector<int>& factors) {
  PictureSource source;
  source.size = full;
  return TiffWriter::bytes_of(pictures_of(source, factors));
}

WrittenPicture write_picture(const std::filesystem::path& file, const PictureSource& source,
                             const std::vector<int>& factors, ThreadPool& threads,
                             const std::function<void(std::int64_t)>& advance, const PictureOptions& options) {
  const auto pictures = pictures_of(source, factors);
  TiffWriter writer(file, pictures, /*sparse=*/false);
  TileDigests digests(pictures.size());
  for (std::size_t i = 0; i < pictures.size(); ++i)
    digests.resize(i, static_cast<std::size_t>(TiffTiles(pictures[i].size).count()));
  SmallPicture small(pictures.back().size);

  std::mutex mutex;
  std::vector<std::unique_ptr<Buffers>> spare;
  const auto groups = groups_of(factors);
  for (const auto& members : groups) {
    const Group group(source, members);
    threads.parallel_for(group.units(), [&](std::size_t unit) {
      std::unique_ptr<Buffers> buffers;
      {
        const std::lock_guard lock(mutex);
        if (!spare.empty()) buffers = std::move(spare.back()), spare.pop_back();
      }
      if (buffers == nullptr) buffers = std::make_unique<Buffers>();
      group.run(
          unit, *buffers,
          [&](std::size_t i, std::int64_t column, std::int64_t row, std::uint8_t* pixels) {
            const auto picture =
                static_cast<std::size_t>(std::find(factors.begin(), factors.end(), members[i]) - factors.begin());
            const TiffTiles grid(pictures[picture].size);
            writer.write_tile(picture, column, row, pixels);
            if (options.digest)
              digests.set(picture, static_cast<std::size_t>(row * grid.across + column), pixels, tile_bytes);
            if (picture + 1 < pictures.size()) return;
            const Region level{0, 0, pictures[picture].size.width, pictures[picture].size.height};
            const Region inside = Region{column * tile_side, row * tile_side, tile_side, tile_side}.clipped(level);
            small.add({pixels, inside.width, inside.height, 3, Depth::u8, 3 * tile_side}, inside.x, inside.y);
          },
          [&](std::int64_t pixels) { advance(pixels / static_cast<std::int64_t>(groups.size())); });
      const std::lock_guard lock(mutex);
      spare.push_back(std::move(buffers));
    });
  }
  WrittenPicture out;
  out.bytes = writer.finish(options.sync);
  out.digest = digests.hex();
  out.tissue = small.tissue();
  return out;
}

}  // namespace nephron::host
