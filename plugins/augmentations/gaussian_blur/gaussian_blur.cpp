#include <cmath>
#include <numeric>

#include <nephron/augmentation.hpp>

struct GaussianBlurParams {
  std::array<int, 2> limit{5, 7};
  std::array<double, 2> sigma{0.5, 3.0};
  std::string compat = "2021";

  static void describe(nephron::Schema<GaussianBlurParams>& s) {
    using P = GaussianBlurParams;
    s.field("limit", &P::limit, "smallest and largest side of the kernel; odd").range(1, 255).unit("px");
    s.field("sigma", &P::sigma, "smallest and largest deviation; only with compat = \"2.0.8\"")
        .range(0.01, 100)
        .unit("px");
    s.field("compat", &P::compat, "2021: the side is odd and says the deviation; 2.0.8: the deviation is drawn apart")
        .choices({"2021", "2.0.8"});
  }

  void validate() const {
    if (limit[0] > limit[1] || limit[0] % 2 == 0 || limit[1] % 2 == 0)
      throw nephron::Error("limit = [" + std::to_string(limit[0]) + ", " + std::to_string(limit[1]) +
                           "]: expected two odd numbers, the smaller first");
    if (sigma[0] > sigma[1]) throw nephron::Error("sigma: expected the smaller number first");
  }
};

namespace {

std::vector<float> gaussian(int side, double sigma) {
  std::vector<double> k(static_cast<std::size_t>(side));
  for (int i = 0; i < side; ++i) k[static_cast<std::size_t>(i)] = std::exp(-0.5 * std::pow((i - side / 2) / sigma, 2));
  const double sum = std::accumulate(k.begin(), k.end(), 0.0);
  std::vector<float> out;
  for (const double v : k) out.push_back(static_cast<float>(v / sum));
  return out;
}

/// The kernel that OpenCV takes when it is given a side and no deviation: fixed ones up to side 7.
std::vector<float> kernel_of_side(int side) {
  switch (side) {
    case 1:
      return {1};
    case 3:
      return {0.25F, 0.5F, 0.25F};
    case 5:
      return {0.0625F, 0.25F, 0.375F, 0.25F, 0.0625F};
    case 7:
      return {0.03125F, 0.109375F, 0.21875F, 0.28125F, 0.21875F, 0.109375F, 0.03125F};
    default:
      return gaussian(side, 0.3 * ((side - 1) * 0.5 - 1) + 0.8);
  }
}

}  // namespace

class GaussianBlur final : public nephron::Augmentation {
 public:
  explicit GaussianBlur(const GaussianBlurParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    const auto [low, high] = params_.limit;
    std::vector<float> kernel;
    if (params_.compat == "2021") {
      kernel = kernel_of_side(low + 2 * static_cast<int>(rng.integer(0, (high - low) / 2)));
    } else {
      const double sigma = rng.uniform(params_.sigma[0], params_.sigma[1]);
      const int side = static_cast<int>(rng.integer(low, high));
      kernel = gaussian(side + (side % 2 == 0), sigma);
    }
    plan.filter(kernel, kernel);
  }

 private:
  GaussianBlurParams params_;
};

NEPHRON_PLUGIN("gaussian_blur", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, GaussianBlur, "gaussian_blur",
                  "Gaussian blur, as Albumentations' GaussianBlur")
