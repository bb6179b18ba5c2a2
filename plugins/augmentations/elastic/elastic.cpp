#include <algorithm>
#include <cmath>

#include <nephron/augmentation_params.hpp>

struct ElasticParams {
  double alpha = 400;
  double sigma = 20;
  double alpha_affine = 0;
  std::string border = "reflect_101";
  std::string compat = "2021";

  static void describe(nephron::Schema<ElasticParams>& s) {
    using P = ElasticParams;
    s.field("alpha", &P::alpha, "factor of the smoothed noise; pixels move by a deviation of 0.163 alpha / sigma")
        .range(0, 1e5)
        .unit("px");
    s.field("sigma", &P::sigma, "deviation of the Gaussian that smooths the noise").range(1, 1000).unit("px");
    s.field("alpha_affine", &P::alpha_affine,
            "first, three points of the picture are moved by up to this much along each axis; compat = \"2021\"")
        .range(0, 1e4)
        .unit("px");
    nephron::border_field(s, &P::border);
    s.field("compat", &P::compat,
            "2021: noise is evenly distributed, and alpha_affine counts; 2.0.8: noise is normal, its largest value 1")
        .choices({"2021", "2.0.8"});
  }

  void validate() const {
    if (compat != "2021" && alpha_affine != 0)
      throw nephron::Error("alpha_affine = " + nephron::Value(alpha_affine).str() +
                           " with compat = \"2.0.8\", which has none: leave it out, or add an augmentation \"affine\"");
  }
};

namespace {

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

/// Normal values divided by the largest that a picture's would have: drawn, for it is not looked at. Of n values the
/// largest lies below m with the probability erf(m / sqrt(2))^n, which is bisected.
std::vector<float> normal_noise(std::size_t n, double pixels, nephron::Rng& rng) {
  const double logarithm = std::log(1 - rng.uniform()) / pixels;
  double low = 0, high = 10;
  while (high - low > 1e-6) {
    const double middle = (low + high) / 2;
    (std::log1p(-std::erfc(middle / std::sqrt(2.0))) < logarithm ? low : high) = middle;
  }
  std::vector<float> out(n);
  for (float& v : out) v = static_cast<float>(rng.normal() / high);
  return out;
}

/// Three points about the centre, each moved by up to `reach` along each axis. Picks the map that takes them there.
nephron::Affine moved_points(nephron::Size size, double reach, nephron::Rng& rng) {
  const auto cx = static_cast<double>(size.width / 2), cy = static_cast<double>(size.height / 2);
  const auto side = static_cast<double>(std::max<std::int64_t>(1, std::min(size.width, size.height) / 3));
  std::array<double, 6> by{};
  for (double& v : by) v = rng.uniform(-reach, reach);
  // (cx + side, cy + side), (cx + side, cy - side), (cx - side, cy - side): steps along y and x between them
  nephron::Affine out;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    double* row = out.m.data() + 3 * axis;
    row[0] = (axis == 0 ? 1 : 0) + (by[2 + axis] - by[4 + axis]) / (2 * side);
    row[1] = (axis == 1 ? 1 : 0) + (by[axis] - by[2 + axis]) / (2 * side);
    const double x = cx - side, y = cy - side;
    row[2] = (axis == 0 ? x : y) + by[4 + axis] - row[0] * x - row[1] * y;
  }
  return out;
}

/// Of the map's area: below it, moved points lie nearly on a line and the picture is crushed.
constexpr double least_area = 1e-3;

/// Vectors below this move no label, and pictures by less than a thirty-second of the step between neighbours.
constexpr float least_reach = 1.0F / 32;

}  // namespace

/// Noise smoothed by a Gaussian, times alpha, moves the pixels (Simard et al. 2003), after an affine map. It is drawn
/// at the nodes of a grid of a quarter of sigma: what lies between them is smooth.
class Elastic final : public nephron::Augmentation {
 public:
  explicit Elastic(const ElasticParams& params)
      : params_(params),
        spacing_(std::max(1, static_cast<int>(std::lround(params.sigma / 4)))),
        kernel_(nephron::gaussian_kernel(2 * static_cast<int>(std::ceil(4 * params.sigma / spacing_)) + 1,
                                         params.sigma / spacing_)) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const nephron::Border border = nephron::border_of(params_.border);
    if (params_.alpha_affine > 0) {
      const nephron::Affine map = moved_points(sample.size, params_.alpha_affine, rng);
      if (std::abs(map.m[0] * map.m[4] - map.m[1] * map.m[3]) > least_area) plan.affine(map, border);
    }
    const nephron::Image grid(nephron::displacement_nodes(sample.size, spacing_), 2, nephron::Depth::f32);
    float longest = 0;
    for (int axis = 0; axis < 2; ++axis) longest = std::max(longest, fill(grid.view(), axis, sample.size, rng));
    if (longest >= least_reach) plan.displacement(grid, spacing_, border);
  }

 private:
  // Smooths noise that reaches beyond the grid by the kernel's radius, so that edges move as the middle does. The mean
  // of spacing x spacing pixels' noise varies by 1 / spacing of theirs. Gives the longest component.
  float fill(const nephron::ImageView& grid, int axis, nephron::Size picture, nephron::Rng& rng) const {
    const auto taps = kernel_.size(), width = static_cast<std::size_t>(grid.width),
               height = static_cast<std::size_t>(grid.height);
    const std::size_t across = width + taps - 1, down = height + taps - 1;
    const std::vector<float> raw = params_.compat == "2021"
                                       ? noise(across * down, rng)
                                       : normal_noise(across * down, 2 * static_cast<double>(picture.area()), rng);
    std::vector<float> rows(width * down), column(width);
    for (std::size_t y = 0; y < down; ++y)
      for (std::size_t t = 0; t < taps; ++t)
        for (std::size_t x = 0; x < width; ++x) rows[y * width + x] += kernel_[t] * raw[y * across + x + t];
    const auto factor = static_cast<float>(params_.alpha / spacing_);
    float longest = 0;
    for (std::size_t y = 0; y < height; ++y) {
      std::fill(column.begin(), column.end(), 0.0F);
      for (std::size_t t = 0; t < taps; ++t)
        for (std::size_t x = 0; x < width; ++x) column[x] += kernel_[t] * rows[(y + t) * width + x];
      auto* out = grid.row<float>(static_cast<std::int64_t>(y)) + axis;
      for (std::size_t x = 0; x < width; ++x) {
        out[2 * x] = factor * column[x];
        longest = std::max(longest, std::abs(out[2 * x]));
      }
    }
    return longest;
  }

  ElasticParams params_;
  int spacing_;
  std::vector<float> kernel_;
};

NEPHRON_PLUGIN("elastic", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, Elastic, "elastic",
                  "Moves pixels by smoothed noise (Simard et al. 2003), as Albumentations' ElasticTransform")
