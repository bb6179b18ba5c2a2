#include <host/store/picture.hpp>

#include <algorithm>
#include <cstring>
#include <map>
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

TiffWriter::Picture picture_of(const PictureSource& source, Reduction reduction) {
  return {AreaReduction(source.size, reduction).size(), 3, source.mpp * reduction.value(),
          "{\"nephron\": \"picture\", \"reduction\": " + reduction.str() + "}"};
}

/// Memory that a thread works in, handed on to the next unit of work: fresh memory costs more than the reduction.
struct Buffers {
  std::vector<std::uint8_t> source;
  std::vector<std::vector<std::uint8_t>> tiles;  // a reduction: its tiles one after another
};

/// Reductions that are made from one reading of the slide: each divides the largest, the last one.
///
/// The slide falls into units: a tile of the largest, with the tiles of the others that cover the same pixels;
/// or, where the slide is stored in strips, a whole row of such tiles. A unit is read and reduced in blocks that stay
/// in the cache.
class Group {
 public:
  Group(const PictureSource& source, const std::vector<Reduction>& reductions)
      : source_(source), largest_(reductions.back().value()) {
    for (const Reduction& r : reductions) {
      areas_.emplace_back(source.size, r);
      times_.push_back(r.times_to(reductions.back()));
      const TiffTiles grid(areas_.back().size());
      const std::int64_t k = times_.back();
      across_ = std::max(across_, (grid.across + k - 1) / k);
      down_ = std::max(down_, (grid.down + k - 1) / k);
    }
    const bool strips = source.tile.width >= source.size.width && source.size.width > 2 * tile_side;
    unit_across_ = strips ? across_ : 1;
    constexpr std::int64_t most_block = 1 << 20, few = 32;
    block_width_ = strips ? unit_across_ * tile_side : part_of_tile(source.tile.width);
    block_height_ = part_of_tile(source.tile.height);
    const auto block_rows = [&] { return static_cast<double>(block_height_) * largest_; };
    while (block_height_ > 1 && block_rows() > few &&
           3 * static_cast<double>(block_width_) * largest_ * block_rows() > most_block)
      block_height_ /= 2;
  }

  std::size_t units() const { return static_cast<std::size_t>(((across_ + unit_across_ - 1) / unit_across_) * down_); }

  /// Reads and reduces a unit. write(reduction's place in the group, column, row, pixels) is called for each of its
  /// tiles.
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
      const std::int64_t k = times_[i];
      const TiffTiles grid(areas_[i].size());
      for (std::int64_t row = uy * k; row < std::min(grid.down, (uy + 1) * k); ++row)
        for (std::int64_t column = ux * k; column < std::min(grid.across, (ux + unit_across_) * k); ++column)
          write(i, column, row, tile(buffers, i, column - ux * k, row - uy * k));
    }
  }

 private:
  /// The largest power-of-two part of a tile, in pixels of the largest reduction, that is about a tile of the source.
  std::int64_t part_of_tile(std::int64_t stored) const {
    const std::int64_t wanted = stored >= 512 && stored <= 1024 ? stored : 512;
    std::int64_t part = 1;
    while (part < tile_side && 2 * static_cast<double>(part) * largest_ <= static_cast<double>(wanted)) part *= 2;
    return part;
  }

  void prepare(Buffers& buffers) const {
    buffers.tiles.resize(areas_.size());
    for (std::size_t i = 0; i < areas_.size(); ++i) {
      const std::int64_t k = times_[i];
      buffers.tiles[i].resize(static_cast<std::size_t>(k * k * unit_across_ * tile_bytes));
    }
  }

  std::uint8_t* tile(Buffers& buffers, std::size_t i, std::int64_t column, std::int64_t row) const {
    const std::int64_t across = unit_across_ * times_[i];
    return buffers.tiles[i].data() + (row * across + column) * tile_bytes;
  }

  /// `block`: in pixels of the largest reduction. Returns the pixels of level 0 that were read.
  std::int64_t block(Buffers& buffers, const Region& block, std::int64_t ux, std::int64_t uy) const {
    std::vector<Region> parts;
    Region from;
    for (std::size_t i = 0; i < areas_.size(); ++i) {
      const AreaReduction& area = areas_[i];
      const std::int64_t k = times_[i];
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
      const std::int64_t k = times_[i];
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
    const std::int64_t k = times_[i];
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
  double largest_;
  std::vector<AreaReduction> areas_;
  std::vector<std::int64_t> times_;     // of each: its pixels along one of the largest
  std::int64_t across_ = 0, down_ = 0;  // tiles of the largest
  std::int64_t unit_across_ = 1;
  std::int64_t block_width_ = 1, block_height_ = 1;  // in pixels of the largest
};

/// Reductions that divide a larger one go with it.
std::vector<std::vector<Reduction>> groups_of(std::vector<Reduction> reductions) {
  std::vector<std::vector<Reduction>> out;
  while (!reductions.empty()) {
    const Reduction largest = reductions.back();
    auto& group = out.emplace_back();
    for (const Reduction& r : reductions)
      if (r.times_to(largest) > 0) group.push_back(r);
    std::erase_if(reductions, [&](const Reduction& r) { return r.times_to(largest) > 0; });
  }
  return out;
}

/// A file that is being written, and what is learnt of its pixels meanwhile.
class Writing {
 public:
  Writing(const PictureTarget& target, const PictureSource& source, const PictureOptions& options)
      : picture_(picture_of(source, target.reduction)),
        digest_(options.digest),
        writer_(target.file, {picture_}, /*sparse=*/false, options.sync),
        digests_({picture_.size}),
        small_(picture_.size) {}

  /// Thread-safe for different tiles.
  void tile(std::int64_t column, std::int64_t row, const std::uint8_t* pixels) {
    writer_.write_tile(0, column, row, pixels);
    const std::int64_t across = TiffTiles(picture_.size).across;
    if (digest_) digests_.set(0, static_cast<std::size_t>(row * across + column), pixels, tile_bytes);
    const Region inside = Region{column * tile_side, row * tile_side, tile_side, tile_side}.clipped(
        {0, 0, picture_.size.width, picture_.size.height});
    small_.add({const_cast<std::uint8_t*>(pixels), inside.width, inside.height, 3, Depth::u8, 3 * tile_side}, inside.x,
               inside.y);
  }

  WrittenPicture finish() { return {writer_.finish(), digests_.hex(), small_.tissue()}; }

 private:
  TiffWriter::Picture picture_;
  bool digest_;
  TiffWriter writer_;
  TileDigests digests_;
  SmallPicture small_;
};

/// Lends buffers to threads.
class Spares {
 public:
  std::unique_ptr<Buffers> take() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return std::make_unique<Buffers>();
    std::unique_ptr<Buffers> out = std::move(spare_.back());
    spare_.pop_back();
    return out;
  }
  void give_back(std::unique_ptr<Buffers> buffers) {
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(buffers));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Buffers>> spare_;
};

}  // namespace

std::int64_t picture_bytes(Size full, Reduction reduction) {
  PictureSource source;
  source.size = full;
  return TiffWriter::bytes_of({picture_of(source, reduction)});
}

std::vector<WrittenPicture> write_pictures(const std::vector<PictureTarget>& targets, const PictureSource& source,
                                           ThreadPool& threads, const std::function<void(std::int64_t)>& advance,
                                           const PictureOptions& options) {
  std::map<Reduction, std::unique_ptr<Writing>> files;
  std::vector<Reduction> reductions;
  for (const PictureTarget& target : targets) {
    reductions.push_back(target.reduction);
    files[target.reduction] = std::make_unique<Writing>(target, source, options);
  }
  Spares spares;
  const auto groups = groups_of(reductions);
  for (const auto& members : groups) {
    const Group group(source, members);
    std::vector<Writing*> writing;
    for (const Reduction& r : members) writing.push_back(files.at(r).get());
    threads.parallel_for(group.units(), [&](std::size_t unit) {
      std::unique_ptr<Buffers> buffers = spares.take();
      group.run(
          unit, *buffers,
          [&](std::size_t i, std::int64_t column, std::int64_t row, const std::uint8_t* pixels) {
            writing[i]->tile(column, row, pixels);
          },
          [&](std::int64_t pixels) { advance(pixels / static_cast<std::int64_t>(groups.size())); });
      spares.give_back(std::move(buffers));
    });
  }
  std::vector<WrittenPicture> out;
  for (const Reduction& r : reductions) out.push_back(files.at(r)->finish());
  return out;
}

}  // namespace nephron::host
