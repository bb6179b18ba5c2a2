#include <cmath>

#include <nephron/augmentation.hpp>

struct ShiftScaleRotateParams {
  double shift = 0.1;
  double scale = 0.1;
  double rotate = 90;
  std::string border = "reflect_101";
  std::string compat = "2021";

  static void describe(nephron::Schema<ShiftScaleRotateParams>& s) {
    using P = ShiftScaleRotateParams;
    s.field("shift", &P::shift, "largest shift to either side, as a share of the picture's width or height")
        .range(0, 1);
    s.field("scale", &P::scale, "the scale is drawn from 1 - scale to 1 + scale").range(0, 0.99);
    s.field("rotate", &P::rotate, "largest rotation to either side").range(0, 360).unit("degrees");
    s.field("border", &P::border, "what lies beyond the picture: its mirror image, or black")
        .choices({"reflect_101", "constant"});
    s.field("compat", &P::compat,
            "2021: one scale for both axes, shifts of any length; 2.0.8: a scale an axis, whole pixels")
        .choices({"2021", "2.0.8"});
  }
};

/// Scales and turns about the picture's centre, then shifts.
class ShiftScaleRotate final : public nephron::Augmentation {
 public:
  explicit ShiftScaleRotate(const ShiftScaleRotateParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const auto width = static_cast<double>(sample.size.width), height = static_cast<double>(sample.size.height);
    const bool today = params_.compat == "2.0.8";
    double dx = rng.uniform(-params_.shift, params_.shift) * width;
    double dy = rng.uniform(-params_.shift, params_.shift) * height;
    const double sx = rng.uniform(1 - params_.scale, 1 + params_.scale);
    const double other = rng.uniform(1 - params_.scale, 1 + params_.scale);
    const double sy = today ? other : sx;
    if (today) dx = std::trunc(dx), dy = std::trunc(dy);
    const double angle = rng.uniform(-params_.rotate, params_.rotate);
    plan.affine(nephron::Affine::scaling(sx, sy)
                    .then(nephron::Affine::rotation(angle))
                    .about({width / 2 - 0.5, height / 2 - 0.5})
                    .then(nephron::Affine::translation(dx, dy)),
                params_.border == "constant" ? nephron::Border::constant : nephron::Border::reflect_101);
  }

 private:
  ShiftScaleRotateParams params_;
};

NEPHRON_PLUGIN("shift_scale_rotate", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, ShiftScaleRotate, "shift_scale_rotate",
                  "Shifts, scales and rotates about the centre, as Albumentations' ShiftScaleRotate")
