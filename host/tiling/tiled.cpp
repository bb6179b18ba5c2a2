#include <host/tiling/tiled.hpp>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

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

/// Sums of one row of tiles and of what still overlaps the next one.
class Band {
 public:
  Band(Size source, Size tile, int classes, bool blended)
      : source_(source), tile_(tile), classes_(classes), weights_(blended ? blending_weights(tile) : Image()) {
    const auto pixels = static_cast<std::size_t>(source.width * tile.height);
    sums_.resize(pixels * static_cast<std::size_t>(classes));
    totals_.resize(pixels);
  }

  /// Adds the probabilities [classes, tile] of a tile that starts at (x, top of the band).
  void add(std::int64_t x, const float* probabilities) {
    const std::int64_t width = std::min(tile_.width, source_.width - x);
    const std::int64_t height = std::min(tile_.height, source_.height - top_);
    for (std::int64_t y = 0; y < height; ++y) {
      const float* const w = weights_.empty() ? nullptr : weights_.view().row<const float>(y);
      add_row(total(y) + x, nullptr, w, width);
      for (int c = 0; c < classes_; ++c)
        add_row(sum(c, y) + x, probabilities + (c * tile_.height + y) * tile_.width, w, width);
    }
  }

  /// Hands the rows above `next_top` to the sink and moves the band down.
  void finish(std::int64_t next_top, ProbabilitySink& sink) {
    const std::int64_t rows = std::min(next_top, source_.height) - top_;
    std::vector<ImageView> views;
    for (int c = 0; c < classes_; ++c) {
      for (std::int64_t y = 0; y < rows; ++y) {
        float* const line = sum(c, y);
        const float* const all = total(y);
        for (std::int64_t x = 0; x < source_.width; ++x) line[x] = all[x] > 0 ? line[x] / all[x] : 0;
      }
      views.push_back({sum(c, 0), source_.width, rows, 1, Depth::f32, static_cast<std::ptrdiff_t>(source_.width * 4)});
    }
    sink.rows(top_, views);
    for (int c = 0; c < classes_; ++c) shift(sum(c, 0), rows);
    shift(totals_.data(), rows);
    top_ = next_top;
  }

 private:
  static void add_row(float* to, const float* values, const float* weights, std::int64_t n) {
    for (std::int64_t x = 0; x < n; ++x)
      to[x] += (values != nullptr ? values[x] : 1.0F) * (weights != nullptr ? weights[x] : 1.0F);
  }
  void shift(float* plane, std::int64_t rows) const {
    float* const end = plane + source_.width * tile_.height;
    std::fill(std::move(plane + source_.width * rows, end, plane), end, 0.0F);
  }
  float* sum(int c, std::int64_t y) { return sums_.data() + (c * tile_.height + y) * source_.width; }
  float* total(std::int64_t y) { return totals_.data() + y * source_.width; }

  Size source_, tile_;
  int classes_;
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

void predict_tiled(const TileSource& source, PixelModel& model, const TilingOptions& options, ProbabilitySink& sink) {
  const Size size = source.size();
  const TileGrid grid = tile_grid(size, options.tile, options.overlap, model.multiple());
  const std::vector<std::vector<Region>> rows = tile_rows(grid, options.wanted);
  const std::int64_t total =
      std::accumulate(rows.begin(), rows.end(), std::int64_t{0},
                      [](std::int64_t n, const auto& r) { return n + static_cast<std::int64_t>(r.size()); });
  const int classes = model.classes();
  const std::size_t batch =
      std::clamp<std::size_t>(static_cast<std::size_t>(std::max<std::int64_t>(1, options.batch)), 1, grid.xs.size());
  const auto pixels = static_cast<std::size_t>(grid.tile.area());
  std::vector<std::uint8_t> images(batch * pixels * 3);
  std::vector<float> probabilities(batch * pixels * static_cast<std::size_t>(classes));
  Band band(size, grid.tile, classes, grid.count() > 1);
  sink.begin(size, classes);
  std::int64_t done = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t first = 0; first < rows[row].size(); first += batch) {
      const std::span<const Region> tiles =
          std::span(rows[row]).subspan(first, std::min(batch, rows[row].size() - first));
      for (std::size_t i = 0; i < tiles.size(); ++i)
        read_reflected(source, tiles[i].x, tiles[i].y,
                       {images.data() + i * pixels * 3, grid.tile.width, grid.tile.height, 3, Depth::u8,
                        static_cast<std::ptrdiff_t>(grid.tile.width * 3)});
      model.run({static_cast<std::int64_t>(tiles.size()), grid.tile, images.data(), tiles}, probabilities.data());
      for (std::size_t i = 0; i < tiles.size(); ++i)
        band.add(tiles[i].x, probabilities.data() + i * pixels * static_cast<std::size_t>(classes));
      done += static_cast<std::int64_t>(tiles.size());
      if (options.progress) options.progress(done, total);
    }
    band.finish(row + 1 < rows.size() ? grid.ys[row + 1] : size.height, sink);
  }
}

}  // namespace nephron::host
