#include <host/tiling/tiled.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <future>
#include <string>
#include <vector>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

/// Position of pixel i of a line of n pixels that is reflected beyond its ends (the end pixels are not repeated).
std::int64_t reflected(std::int64_t i, std::int64_t n) {
  if (n == 1) return 0;
  const std::int64_t period = 2 * (n - 1);
  i = (i % period + period) % period;
  return i < n ? i : period - i;
}

/// A tile of the source; beyond the right and lower border its reflection.
void read_reflected(const TileSource& source, std::int64_t x, std::int64_t y, const ImageView& out) {
  const Size size = source.size();
  const Region inside{x, y, std::min(out.width, size.width - x), std::min(out.height, size.height - y)};
  source.read(inside, out.crop({0, 0, inside.width, inside.height}));
  for (std::int64_t row = 0; inside.width < out.width && row < inside.height; ++row) {
    std::uint8_t* const line = out.row<std::uint8_t>(row);
    for (std::int64_t column = inside.width; column < out.width; ++column)
      std::memcpy(line + 3 * column, line + 3 * reflected(column, inside.width), 3);
  }
  const std::size_t bytes = static_cast<std::size_t>(out.width) * 3;
  for (std::int64_t row = inside.height; row < out.height; ++row)
    std::memcpy(out.row<std::uint8_t>(row), out.row<const std::uint8_t>(reflected(row, inside.height)), bytes);
}

/// To the nearest number of half precision.
float half(float v) { return static_cast<float>(static_cast<_Float16>(v)); }

/// Sums of one row of tiles and of what still overlaps the next one.
class Band {
 public:
  Band(Size source, const TileGrid& grid, int classes, Blending blending, bool as_reference)
      : source_(source),
        grid_(grid),
        tile_(grid.tile),
        classes_(classes),
        halves_(as_reference),
        weights_(grid.count() > 1 ? blending_weights(tile_, blending) : Image()) {
    const auto pixels = static_cast<std::size_t>(source.width * tile_.height);
    sums_.resize(pixels * static_cast<std::size_t>(classes));
    totals_.resize(pixels);
  }

  /// Adds the probabilities [classes, tile] of a tile that starts at (x, top of the band).
  void add(std::int64_t x, const float* probabilities) {
    std::int64_t times = 1;
    if (halves_)
      times = (x == grid_.xs.back() ? grid_.last_x_times : 1) * (top_ == grid_.ys.back() ? grid_.last_y_times : 1);
    for (; times > 0; --times) add_once(x, probabilities);
  }

  /// Hands the rows above `next_top`, but for those above `from`, to the sink and moves the band down.
  void finish(std::int64_t next_top, std::int64_t from, ProbabilitySink& sink) {
    const std::int64_t rows = std::min(next_top, source_.height) - top_;
    const std::int64_t first = std::clamp<std::int64_t>(from - top_, 0, rows);
    std::vector<ImageView> views;
    for (int c = 0; c < classes_; ++c) {
      for (std::int64_t y = first; y < rows; ++y) divide(sum(c, y), total(y));
      views.push_back(
          {sum(c, first), source_.width, rows - first, 1, Depth::f32, static_cast<std::ptrdiff_t>(source_.width * 4)});
    }
    if (first < rows) sink.rows(top_ + first, views);
    for (int c = 0; c < classes_; ++c) shift(sum(c, 0), rows);
    shift(totals_.data(), rows);
    top_ = next_top;
  }

 private:
  void add_once(std::int64_t x, const float* probabilities) {
    const std::int64_t width = std::min(tile_.width, source_.width - x);
    const std::int64_t height = std::min(tile_.height, source_.height - top_);
    for (std::int64_t y = 0; y < height; ++y) {
      const float* const w = weights_.empty() ? nullptr : weights_.view().row<const float>(y);
      add_row(total(y) + x, nullptr, w, width);
      for (int c = 0; c < classes_; ++c)
        add_row(sum(c, y) + x, probabilities + (c * tile_.height + y) * tile_.width, w, width);
    }
  }
  void add_row(float* to, const float* values, const float* weights, std::int64_t n) const {
    const auto term = [&](std::int64_t x) {
      return (values != nullptr ? values[x] : 1.0F) * (weights != nullptr ? weights[x] : 1.0F);
    };
    if (halves_)
      for (std::int64_t x = 0; x < n; ++x) to[x] = half(to[x] + half(term(x)));
    else
      for (std::int64_t x = 0; x < n; ++x) to[x] += term(x);
  }
  void divide(float* line, const float* all) const {
    for (std::int64_t x = 0; x < source_.width; ++x) line[x] = all[x] > 0 ? line[x] / all[x] : 0;
    for (std::int64_t x = 0; halves_ && x < source_.width; ++x) line[x] = half(line[x]);
  }
  void shift(float* plane, std::int64_t rows) const {
    float* const end = plane + source_.width * tile_.height;
    std::fill(std::move(plane + source_.width * rows, end, plane), end, 0.0F);
  }
  float* sum(int c, std::int64_t y) { return sums_.data() + (c * tile_.height + y) * source_.width; }
  float* total(std::int64_t y) { return totals_.data() + y * source_.width; }

  Size source_;
  const TileGrid& grid_;
  Size tile_;
  int classes_;
  bool halves_;
  Image weights_;
  std::int64_t top_ = 0;
  std::vector<float> sums_, totals_;
};

}  // namespace

std::vector<std::vector<Region>> tile_rows(const TileGrid& grid, const std::function<bool(const Region&)>& wanted) {
  std::vector<std::vector<Region>> out;
  for (const std::int64_t y : grid.ys) {
    std::vector<Region>& row = out.emplace_back();
    for (const std::int64_t x : grid.xs)
      if (const Region tile{x, y, grid.tile.width, grid.tile.height}; !wanted || wanted(tile)) row.push_back(tile);
  }
  return out;
}

namespace {

std::vector<Region> joined(const std::vector<std::vector<Region>>& rows) {
  std::vector<Region> out;
  for (const auto& row : rows) out.insert(out.end(), row.begin(), row.end());
  return out;
}

constexpr std::size_t worth_a_thread = std::size_t{1} << 18;  // bytes

/// Batches of tiles, in their order and across rows of the grid. The next one is read while a model has the last, but
/// for small ones, which a thread would only delay.
class TilesAhead {
 public:
  TilesAhead(const TileSource& source, Size tile, std::span<const Region> tiles, std::size_t batch)
      : source_(source), tile_(tile), left_(tiles), batch_(batch) {
    read_next();
  }

  /// The next tiles; none at the end. They stay until the call after the next.
  TileBatch next() {
    if (!reading_.valid()) return {};
    reading_.get();
    const std::span<const Region> places = reading_places_;
    const std::uint8_t* const images = images_[turn_].data();
    turn_ = 1 - turn_;
    read_next();
    return {static_cast<std::int64_t>(places.size()), tile_, images, places};
  }

 private:
  void read_next() {
    if (left_.empty()) return;
    reading_places_ = left_.first(std::min(batch_, left_.size()));
    left_ = left_.subspan(reading_places_.size());
    std::vector<std::uint8_t>& to = images_[turn_];
    const auto bytes = static_cast<std::size_t>(3 * tile_.area());
    to.resize(reading_places_.size() * bytes);
    const std::launch when = to.size() < worth_a_thread ? std::launch::deferred : std::launch::async;
    reading_ = std::async(when, [this, &to, bytes, places = reading_places_] {
      for (std::size_t i = 0; i < places.size(); ++i)
        read_reflected(source_, places[i].x, places[i].y,
                       {to.data() + i * bytes, tile_.width, tile_.height, 3, Depth::u8,
                        static_cast<std::ptrdiff_t>(tile_.width * 3)});
    });
  }

  const TileSource& source_;
  Size tile_;
  std::span<const Region> left_, reading_places_;
  std::size_t batch_;
  std::vector<std::uint8_t> images_[2];
  std::size_t turn_ = 0;       ///< what is read into
  std::future<void> reading_;  ///< the last member: its end is waited for first
};

void require_finite(const float* probabilities, std::size_t count, const Region& tile, const TilingOptions& options) {
  constexpr std::uint32_t magnitude = 0x7fffffff, infinite = 0x7f800000;  // NaN lies above
  std::uint32_t most = 0;  // of whole numbers: compilers take many at a time, as they may not of a float
  for (std::size_t i = 0; i < count; ++i)
    most = std::max(most, std::bit_cast<std::uint32_t>(probabilities[i]) & magnitude);
  if (most < infinite) return;
  throw Error("the output of " + options.network + " is not finite (NaN) for the tile at (" + std::to_string(tile.x) +
                  ", " + std::to_string(tile.y) + ") of " + options.picture,
              options.remedy);
}

}  // namespace

void predict_tiled(const TileSource& source, PixelModel& model, const TilingOptions& options, ProbabilitySink& sink) {
  const Size size = source.size();
  const TileGrid grid = tile_grid(size, options.tile, options.overlap, model.multiple());
  const std::vector<Region> tiles = joined(tile_rows(grid, options.wanted));
  const int classes = model.classes();
  const auto batch = static_cast<std::size_t>(std::max<std::int64_t>(1, options.batch));
  const auto of_tile = static_cast<std::size_t>(grid.tile.area() * classes);
  std::vector<float> probabilities(std::min(batch, tiles.size()) * of_tile);
  Band band(size, grid, classes, options.blending, options.as_reference);
  auto next_top = grid.ys.begin();
  const auto go_down_to = [&](std::int64_t y) {
    while (*next_top < y) band.finish(*++next_top, options.from_row, sink);
  };
  sink.begin(size, classes);
  // Batches are those of the whole, for a tile's last bits may depend on the others of its batch.
  const auto needed = std::find_if(tiles.begin(), tiles.end(),
                                   [&](const Region& tile) { return tile.y + tile.height > options.from_row; });
  const std::size_t known = static_cast<std::size_t>(needed - tiles.begin()) / batch * batch;
  TilesAhead ahead(source, grid.tile, std::span(tiles).subspan(known), batch);
  auto done = static_cast<std::int64_t>(known);
  for (TileBatch now = ahead.next(); now.count > 0; now = ahead.next()) {
    model.run(now, probabilities.data());
    for (std::size_t i = 0; i < now.places.size(); ++i) {
      go_down_to(now.places[i].y);
      require_finite(probabilities.data() + i * of_tile, of_tile, now.places[i], options);
      band.add(now.places[i].x, probabilities.data() + i * of_tile);
    }
    done += now.count;
    if (options.progress) options.progress(done, static_cast<std::int64_t>(tiles.size()));
  }
  go_down_to(grid.ys.back());
  band.finish(size.height, options.from_row, sink);
}

}  // namespace nephron::host
