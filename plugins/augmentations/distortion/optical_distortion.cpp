#include <cmath>

#include <nephron/augmentation_params.hpp>

#include "map_grid.hpp"

struct OpticalDistortionParams {
  double distort = 0.05;
  double shift = 0.05;
  std::string border = "reflect_101";
  std::string compat = "2021";

  static void describe(nephron::Schema<OpticalDistortionParams>& s) {
    using P = OpticalDistortionParams;
    s.field("distort", &P::distort, "largest coefficient of the lens to either side: of r^2 and of r^4, r in widths")
        .range(0, 1);
    s.field("shift", &P::shift, "largest shift of the lens to either side, rounded to whole pixels; compat = \"2021\"")
        .range(0, 1000)
        .unit("px");
    nephron::border_field(s, &P::border);
    s.field("compat", &P::compat, "2021: the lens is shifted; 2.0.8: it stands in the middle")
        .choices({"2021", "2.0.8"});
  }
};

/// A lens, as OpenCV's initUndistortRectifyMap computes it: out of the middle (width - 1) / 2, into width / 2.
class OpticalDistortion final : public nephron::Augmentation {
 public:
  explicit OpticalDistortion(const OpticalDistortionParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const auto width = static_cast<double>(sample.size.width), height = static_cast<double>(sample.size.height);
    const double k = rng.uniform(-params_.distort, params_.distort);
    double cx = width / 2, cy = height / 2;
    if (params_.compat == "2021") {
      cx += std::nearbyint(rng.uniform(-params_.shift, params_.shift));
      cy += std::nearbyint(rng.uniform(-params_.shift, params_.shift));
    }
    const auto lens = [=](double u, double v) {
      const double x = (u - (width - 1) / 2) / width, y = (v - (height - 1) / 2) / height;
      const double r2 = x * x + y * y, scale = 1 + k * r2 + k * r2 * r2;
      return nephron::Point{x * scale * width + cx, y * scale * height + cy};
    };
    add_map(sample.size, lens, nephron::border_of(params_.border), plan);
  }

 private:
  OpticalDistortionParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, OpticalDistortion, "optical_distortion",
                  "Barrel and pincushion distortion of a lens, as Albumentations' OpticalDistortion")
