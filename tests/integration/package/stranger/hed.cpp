#include <nephron/augmentation.hpp>

struct HedParams {
  double scale = 0.05;
  double shift = 0.05;

  static void describe(nephron::Schema<HedParams>& s) {
    s.field("scale", &HedParams::scale, "largest change of each stain's amount, as a share").range(0, 0.5);
    s.field("shift", &HedParams::shift, "largest amount of each stain that is added or taken away").range(0, 1);
  }
};

// Haematoxylin, eosin and DAB (Ruifrok and Johnston 2001): what a unit of each adds to the densities of R, G and B.
constexpr double stains[3][3] = {{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}, {0.27, 0.57, 0.78}};

// Amounts of the three stains, each stretched and shifted (Tellez et al. 2018).
class HedJitter final : public nephron::Augmentation {
 public:
  explicit HedJitter(const HedParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    std::array<float, 12> matrix{};
    for (int i = 0; i < 3; ++i) {
      const double scale = 1 + rng.uniform(-params_.scale, params_.scale);
      const double shift = rng.uniform(-params_.shift, params_.shift);
      const double *stain = stains[i], *second = stains[(i + 1) % 3], *third = stains[(i + 2) % 3];
      double amount[3], whole = 0;  // the stain's amount in densities d is amount . d
      for (int c = 0; c < 3; ++c) {
        const int next = (c + 1) % 3, last = (c + 2) % 3;
        amount[c] = second[next] * third[last] - second[last] * third[next];
        whole += stain[c] * amount[c];
      }
      for (int row = 0; row < 3; ++row) {
        for (int c = 0; c < 3; ++c) matrix[4 * row + c] += static_cast<float>(scale * stain[row] * amount[c] / whole);
        matrix[4 * row + 3] += static_cast<float>(shift * stain[row]);
      }
    }
    plan.density_matrix(matrix, {255, 255, 255});
  }

 private:
  HedParams params_;
};

NEPHRON_PLUGIN("outside_hed", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, HedJitter, "outside_hed", "amounts of haematoxylin, eosin and DAB at random")
