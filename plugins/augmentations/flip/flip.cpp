#include <nephron/augmentation.hpp>

struct FlipParams {
  double horizontal = 0.5;
  double vertical = 0.5;

  static void describe(nephron::Schema<FlipParams>& s) {
    s.field("horizontal", &FlipParams::horizontal, "probability of exchanging left and right").range(0, 1);
    s.field("vertical", &FlipParams::vertical, "probability of exchanging top and bottom").range(0, 1);
  }
};

class Flip final : public nephron::Augmentation {
 public:
  explicit Flip(const FlipParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    const bool vertical = rng.chance(params_.vertical);
    const bool horizontal = rng.chance(params_.horizontal);
    plan.flip(horizontal, vertical);
  }

 private:
  FlipParams params_;
};

NEPHRON_PLUGIN("flip", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, Flip, "flip", "Mirrors, each direction with its own probability")
