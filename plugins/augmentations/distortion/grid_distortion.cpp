#include <algorithm>
#include <numeric>

#include <nephron/augmentation_params.hpp>

struct GridDistortionParams {
  int steps = 5;
  double distort = 0.3;
  std::string border = "reflect_101";
  std::string compat = "2021";

  static void describe(nephron::Schema<GridDistortionParams>& s) {
    using P = GridDistortionParams;
    s.field("steps", &P::steps, "cells along each side").range(1, 100);
    s.field("distort", &P::distort, "each cell's width and height are multiplied by 1 - distort to 1 + distort")
        .range(0, 1);
    nephron::border_field(s, &P::border);
    s.field("compat", &P::compat, "2021: cells may leave the picture; 2.0.8: they are scaled to fill it")
        .choices({"2021", "2.0.8"});
  }
};

namespace {

/// Positions to read along one side. Cells begin where the one before ended, at its last pixel's position, which is
/// read twice: so Albumentations has it.
class Axis {
 public:
  Axis(std::int64_t extent, int steps) : extent_(extent), cell_(std::max<std::int64_t>(1, extent / steps)) {}

  std::vector<float> positions(std::vector<double> factors, bool fill) const {
    if (fill) scale_to_fill(factors);
    std::vector<float> out(static_cast<std::size_t>(extent_));
    double from = 0;
    for (std::size_t i = 0; i < factors.size(); ++i) {
      const std::int64_t start = static_cast<std::int64_t>(i) * cell_, end = std::min(start + cell_, extent_);
      if (start >= extent_) break;
      const bool cut = start + cell_ > extent_;
      const double to = cut && !fill ? static_cast<double>(extent_) : from + static_cast<double>(cell_) * factors[i];
      const std::int64_t n = end - start;
      for (std::int64_t k = 0; k < n; ++k)
        out[static_cast<std::size_t>(start + k)] = static_cast<float>(
            n == 1 ? from : from + (to - from) * static_cast<double>(k) / static_cast<double>(n - 1));
      from = to;
    }
    return out;
  }

 private:
  // The factors add up to the whole side; the last cell is a part of one, or empty.
  void scale_to_fill(std::vector<double>& factors) const {
    const auto whole = static_cast<std::int64_t>(factors.size() - 1) * cell_;
    factors.back() *= static_cast<double>(std::min(extent_, whole + cell_) - whole) / static_cast<double>(cell_);
    const double sum = std::accumulate(factors.begin(), factors.end(), 0.0);
    for (double& f : factors) f *= static_cast<double>(extent_) / static_cast<double>(cell_) / sum;
  }

  std::int64_t extent_, cell_;
};

}  // namespace

/// Widens and narrows the columns and rows of a grid, each by itself.
class GridDistortion final : public nephron::Augmentation {
 public:
  explicit GridDistortion(const GridDistortionParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const bool fill = params_.compat == "2.0.8";
    const std::vector<double> across = factors(rng), down = factors(rng);
    const std::vector<float> xs = Axis(sample.size.width, params_.steps).positions(across, fill),
                             ys = Axis(sample.size.height, params_.steps).positions(down, fill);
    // A vector for each pixel: cells meet between two of them.
    const nephron::Image grid(nephron::displacement_nodes(sample.size, 1), 2, nephron::Depth::f32);
    std::vector<float> row(static_cast<std::size_t>(2 * grid.size().width));
    for (std::size_t x = 0; x < row.size() / 2; ++x)
      row[2 * x] = xs[std::min(x, xs.size() - 1)] - static_cast<float>(x);
    for (std::int64_t y = 0; y < grid.size().height; ++y) {
      const float dy = ys[std::min(static_cast<std::size_t>(y), ys.size() - 1)] - static_cast<float>(y);
      for (std::size_t x = 0; x < row.size(); x += 2) row[x + 1] = dy;
      std::copy(row.begin(), row.end(), grid.view().row<float>(y));
    }
    plan.displacement(grid, 1, nephron::border_of(params_.border));
  }

 private:
  std::vector<double> factors(nephron::Rng& rng) const {
    std::vector<double> out(static_cast<std::size_t>(params_.steps) + 1);
    for (double& f : out) f = 1 + rng.uniform(-params_.distort, params_.distort);
    return out;
  }

  GridDistortionParams params_;
};

NEPHRON_PLUGIN("distortion", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, GridDistortion, "grid_distortion",
                  "Widens and narrows the cells of a grid, as Albumentations' GridDistortion")
