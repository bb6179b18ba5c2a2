#include <cmath>

#include <nephron/augmentation_params.hpp>

struct AffineParams {
  std::array<double, 2> scale{1, 1};
  bool keep_ratio = false;
  std::array<double, 2> rotate{0, 0};
  std::array<double, 2> shear_x{0, 0};
  std::array<double, 2> shear_y{0, 0};
  std::array<double, 2> translate_x{0, 0};
  std::array<double, 2> translate_y{0, 0};
  std::string border = "reflect_101";

  static void describe(nephron::Schema<AffineParams>& s) {
    using P = AffineParams;
    const auto range = [&](const char* name, std::array<double, 2> P::*member, const char* of) {
      return s.field(name, member, std::string("smallest and largest ") + of);
    };
    range("scale", &P::scale, "scale").range(0.01, 100);
    s.field("keep_ratio", &P::keep_ratio, "one scale for both axes");
    range("rotate", &P::rotate, "rotation; positive turns counter-clockwise").range(-360, 360).unit("degrees");
    range("shear_x", &P::shear_x, "shear along x").range(-80, 80).unit("degrees");
    range("shear_y", &P::shear_y, "shear along y").range(-80, 80).unit("degrees");
    range("translate_x", &P::translate_x, "shift, as a share of the width").range(-1, 1);
    range("translate_y", &P::translate_y, "shift, as a share of the height").range(-1, 1);
    nephron::border_field(s, &P::border);
  }

  void validate() const {
    nephron::require_order("scale", scale);
    nephron::require_order("rotate", rotate);
    nephron::require_order("shear_x", shear_x);
    nephron::require_order("shear_y", shear_y);
    nephron::require_order("translate_x", translate_x);
    nephron::require_order("translate_y", translate_y);
  }
};

/// Scales, turns and shears about the picture's centre, then shifts by whole pixels.
class AffineMap final : public nephron::Augmentation {
 public:
  explicit AffineMap(const AffineParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const auto width = static_cast<double>(sample.size.width), height = static_cast<double>(sample.size.height);
    const double dx = std::trunc(nephron::drawn(params_.translate_x, rng) * width),
                 dy = std::trunc(nephron::drawn(params_.translate_y, rng) * height);
    const auto slope = [&](const std::array<double, 2>& degrees) {
      return -std::tan(nephron::drawn(degrees, rng) * (M_PI / 180));
    };
    const double shear_x = slope(params_.shear_x), shear_y = slope(params_.shear_y);
    const double sx = nephron::drawn(params_.scale, rng), other = nephron::drawn(params_.scale, rng);
    const double angle = nephron::drawn(params_.rotate, rng);
    // Two shears may undo each other wholly: then nothing is left of the picture.
    if (std::abs(1 - shear_x * shear_y) < 1e-3) return;
    plan.affine(nephron::Affine::scaling(sx, params_.keep_ratio ? sx : other)
                    .then(nephron::Affine::rotation(angle))
                    .then(nephron::Affine{{1, shear_x, 0, shear_y, 1, 0}})
                    .about({width / 2 - 0.5, height / 2 - 0.5})
                    .then(nephron::Affine::translation(dx, dy)),
                nephron::border_of(params_.border));
  }

 private:
  AffineParams params_;
};

NEPHRON_PLUGIN("affine", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, AffineMap, "affine",
                  "Scales, turns, shears and shifts, as Albumentations' Affine")
