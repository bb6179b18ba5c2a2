#include <algorithm>
#include <cmath>
#include <numeric>

#include <nephron/augmentation.hpp>

struct ElasticParams {
  double alpha = 400;
  double sigma = 20;
  std::string border = "reflect_101";

  static void describe(nephron::Schema<ElasticParams>& s) {
    using P = ElasticParams;
    s.field("alpha", &P::alpha, "factor of the smoothed noise; pixels move by a deviation of 0.163 alpha / sigma")
        .range(0, 1e5)
        .unit("px");
    s.field("sigma", &P::sigma, "deviation of the Gaussian that smooths the noise").range(1, 1000).unit("px");
    s.field("border", &P::border, "what lies beyond the picture: its mirror image, or black")
        .choices({"reflect_101", "constant"});
  }
};

namespace {

/// A Gaussian that sums to one, out to four deviations.
std::vector<float> gaussian(double sigma) {
  const int radius = static_cast<int>(std::ceil(4 * sigma));
  std::vector<double> k;
  for (int i = -radius; i <= radius; ++i) k.push_back(std::exp(-0.5 * std::pow(i / sigma, 2)));
  const double sum = std::accumulate(k.begin(), k.end(), 0.0);
  std::vector<float> out;
  for (const double v : k) out.push_back(static_cast<float>(v / sum));
  return out;
}

/// Values between -1 and 1, evenly distributed: two for each draw.
std::vector<float> noise(std::size_t n, nephron::Rng& rng) {
  std::vector<float> out;
  out.reserve(n + 1);
  const auto value = [](std::uint32_t bits) { return (static_cast<float>(bits) + 0.5F) / 32768.0F - 1.0F; };
  while (out.size() < n) {
    const std::uint32_t bits = rng.bits();
    out.push_back(value(bits & 0xffff));
    out.push_back(value(bits >> 16));
  }
  return out;
}

}  // namespace

/// Noise smoothed by a Gaussian, times alpha, moves the pixels (Simard et al. 2003). It is drawn at the nodes of a grid
/// of a quarter of sigma: what lies between them is smooth.
class Elastic final : public nephron::Augmentation {
 public:
  explicit Elastic(const ElasticParams& params)
      : params_(params),
        spacing_(std::max(1, static_cast<int>(std::lround(params.sigma / 4)))),
        kernel_(gaussian(params.sigma / spacing_)) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const nephron::Image grid(nephron::displacement_nodes(sample.size, spacing_), 2, nephron::Depth::f32);
    for (int axis = 0; axis < 2; ++axis) fill(grid.view(), axis, rng);
    plan.displacement(grid, spacing_,
                      params_.border == "constant" ? nephron::Border::constant : nephron::Border::reflect_101);
  }

 private:
  // Smooths noise that reaches beyond the grid by the kernel's radius, so that edges move as the middle does. The mean
  // of spacing x spacing pixels' noise varies by 1 / spacing of theirs.
  void fill(const nephron::ImageView& grid, int axis, nephron::Rng& rng) const {
    const auto taps = kernel_.size(), width = static_cast<std::size_t>(grid.width),
               height = static_cast<std::size_t>(grid.height);
    const std::size_t across = width + taps - 1, down = height + taps - 1;
    const std::vector<float> raw = noise(across * down, rng);
    std::vector<float> rows(width * down), column(width);
    for (std::size_t y = 0; y < down; ++y)
      for (std::size_t t = 0; t < taps; ++t)
        for (std::size_t x = 0; x < width; ++x) rows[y * width + x] += kernel_[t] * raw[y * across + x + t];
    const auto factor = static_cast<float>(params_.alpha / spacing_);
    for (std::size_t y = 0; y < height; ++y) {
      std::fill(column.begin(), column.end(), 0.0F);
      for (std::size_t t = 0; t < taps; ++t)
        for (std::size_t x = 0; x < width; ++x) column[x] += kernel_[t] * rows[(y + t) * width + x];
      auto* out = grid.row<float>(static_cast<std::int64_t>(y)) + axis;
      for (std::size_t x = 0; x < width; ++x) out[2 * x] = factor * column[x];
    }
  }

  ElasticParams params_;
  int spacing_;
  std::vector<float> kernel_;
};

NEPHRON_PLUGIN("elastic", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, Elastic, "elastic",
                  "Moves pixels by smoothed noise (Simard et al. 2003), as Albumentations' ElasticTransform")
