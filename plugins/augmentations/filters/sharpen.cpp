#include <nephron/augmentation_params.hpp>

struct SharpenParams {
  std::array<double, 2> alpha{0.2, 0.5};
  std::array<double, 2> lightness{0.5, 1.0};
  std::string method = "kernel";
  int side = 5;
  double sigma = 1;

  static void describe(nephron::Schema<SharpenParams>& s) {
    using P = SharpenParams;
    s.field("alpha", &P::alpha, "smallest and largest share of the effect").range(0, 1);
    s.field("lightness", &P::lightness, "the effect multiplies even ground by this; only with method = \"kernel\"")
        .range(0, 8);
    s.field("method", &P::method,
            "kernel: differences of the 8 neighbours; gaussian: of a Gaussian blur (unsharp mask)")
        .choices({"kernel", "gaussian"});
    s.field("side", &P::side, "side of the Gaussian, odd; only with method = \"gaussian\"").range(3, 255).unit("px");
    s.field("sigma", &P::sigma, "its deviation").range(0.01, 100).unit("px");
  }
  void validate() const {
    nephron::require_order("alpha", alpha);
    nephron::require_order("lightness", lightness);
    nephron::require_odd_order("side", std::array{side, side});
  }
};

class Sharpen final : public nephron::Augmentation {
 public:
  explicit Sharpen(const SharpenParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    const auto alpha = static_cast<float>(nephron::drawn(params_.alpha, rng));
    if (params_.method == "gaussian") return plan.filter(unsharp(alpha));
    const auto lightness = static_cast<float>(nephron::drawn(params_.lightness, rng));
    const nephron::Image kernel({3, 3}, 1, nephron::Depth::f32);
    for (int y = 0; y < 3; ++y)
      for (int x = 0; x < 3; ++x)
        kernel.view().row<float>(y)[x] = x == 1 && y == 1 ? 1 - alpha + alpha * (8 + lightness) : -alpha;
    plan.filter(kernel);
  }

 private:
  // The picture, and alpha times what a blur takes from it.
  nephron::Image unsharp(float alpha) const {
    const std::vector<float> blur = nephron::gaussian_kernel(params_.side, params_.sigma);
    nephron::Image kernel({params_.side, params_.side}, 1, nephron::Depth::f32);
    for (int y = 0; y < params_.side; ++y)
      for (int x = 0; x < params_.side; ++x)
        kernel.view().row<float>(y)[x] = -alpha * blur[static_cast<std::size_t>(y)] * blur[static_cast<std::size_t>(x)];
    kernel.view().row<float>(params_.side / 2)[params_.side / 2] += 1 + alpha;
    return kernel;
  }

  SharpenParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, Sharpen, "sharpen", "Sharpens, as Albumentations' Sharpen")
