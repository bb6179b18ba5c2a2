#include <nephron/augmentation.hpp>

struct @CLASS@Params {
  double degrees = 15;
  double scale = 0.1;

  static void describe(nephron::Schema<@CLASS@Params>& s) {
    s.field("degrees", &@CLASS@Params::degrees, "largest rotation, either way").range(0, 180).unit("degrees");
    s.field("scale", &@CLASS@Params::scale, "largest change of size, as a share").range(0, 0.9);
  }
};

// Draws a matrix; the host applies it to the image and its labels alike.
class @CLASS@Augmentation final : public nephron::Augmentation {
 public:
  @CLASS@Augmentation(const @CLASS@Params& params, nephron::Context&) : params_(params) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const double degrees = rng.uniform(-params_.degrees, params_.degrees);
    const double scale = rng.uniform(1 - params_.scale, 1 + params_.scale);
    const auto [width, height] = sample.size;
    const nephron::Point centre{(static_cast<double>(width) - 1) / 2, (static_cast<double>(height) - 1) / 2};
    const nephron::Affine turn = nephron::Affine::rotation(degrees).then(nephron::Affine::scaling(scale, scale));
    plan.affine(turn.about(centre), nephron::Border::reflect_101);
  }

 private:
  @CLASS@Params params_;
};

NEPHRON_PLUGIN("@NAME@", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, @CLASS@Augmentation, "@NAME@", "What it does, in one line: replace this one")
