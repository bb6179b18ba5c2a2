#include <nephron/augmentation_params.hpp>

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
    nephron::require_odd_order("limit", limit);
    nephron::require_order("sigma", sigma);
  }
};

class GaussianBlur final : public nephron::Augmentation {
 public:
  explicit GaussianBlur(const GaussianBlurParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    std::vector<float> kernel;
    if (params_.compat == "2021") {
      kernel = nephron::gaussian_kernel_of_side(nephron::drawn_odd(params_.limit, rng));
    } else {
      const double sigma = nephron::drawn(params_.sigma, rng);
      const int side = nephron::drawn(params_.limit, rng);
      kernel = nephron::gaussian_kernel(side + (side % 2 == 0), sigma);
    }
    plan.filter(kernel, kernel);
  }

 private:
  GaussianBlurParams params_;
};

NEPHRON_PLUGIN("filters", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, GaussianBlur, "gaussian_blur",
                  "Gaussian blur, as Albumentations' GaussianBlur")
