#include <algorithm>
#include <cmath>

#include <nephron/sampler.hpp>

struct GridParams {
  double overlap = 0;
  std::int64_t most = 0;

  static void describe(nephron::Schema<GridParams>& s) {
    s.field("overlap", &GridParams::overlap, "share of a window's side that the next one covers again").range(0, 0.9);
    s.field("most", &GridParams::most, "at most this many windows, spread evenly over all; 0: all").at_least(0);
  }
};

/// Every slide, row by row. The last window of a row is shifted back to end at the border, as in prediction.
class Grid final : public nephron::Sampler {
 public:
  explicit Grid(const GridParams& params) : params_(params) {}

  std::int64_t count(const nephron::Catalog& catalog, std::int64_t window) const override {
    const std::int64_t n = all(catalog, window);
    return params_.most > 0 ? std::min(n, params_.most) : n;
  }

  nephron::Window draw(const nephron::Catalog& catalog, std::int64_t window, std::int64_t index,
                       nephron::Rng&) const override {
    if (catalog.slides().empty()) throw nephron::Error("there is no slide to draw a window from");
    const std::int64_t n = all(catalog, window), taken = count(catalog, window);
    std::int64_t left = static_cast<std::int64_t>(static_cast<double>(index % taken) * static_cast<double>(n) /
                                                  static_cast<double>(taken));
    for (std::size_t i = 0; i < catalog.slides().size(); ++i) {
      const nephron::Size size = catalog.slides()[i].size;
      const std::int64_t across = along(size.width, window), here = across * along(size.height, window);
      if (left >= here) {
        left -= here;
        continue;
      }
      return {static_cast<std::int64_t>(i),
              {place(size.width, window, left % across), place(size.height, window, left / across), window, window}};
    }
    throw nephron::Error("window " + std::to_string(index) + " is beyond the grid's " + std::to_string(taken));
  }

 private:
  std::int64_t step(std::int64_t window) const {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(window) * (1 - params_.overlap)));
  }
  std::int64_t along(std::int64_t side, std::int64_t window) const {
    return side <= window ? 1 : (side - window + step(window) - 1) / step(window) + 1;
  }
  // A slide smaller than the window lies in its middle.
  std::int64_t place(std::int64_t side, std::int64_t window, std::int64_t i) const {
    return side <= window ? (side - window) / 2 : std::min(i * step(window), side - window);
  }
  std::int64_t all(const nephron::Catalog& catalog, std::int64_t window) const {
    std::int64_t n = 0;
    for (const auto& s : catalog.slides()) n += along(s.size.width, window) * along(s.size.height, window);
    return n;
  }

  GridParams params_;
};

NEPHRON_PLUGIN("grid", "1.0.0")
NEPHRON_COMPONENT(nephron::Sampler, Grid, "grid", "Covers every slide with windows in a fixed order; for validation")
