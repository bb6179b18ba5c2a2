#include <algorithm>
#include <cmath>

#include <nephron/augmentation_params.hpp>

struct GammaParams {
  std::array<double, 2> limit{80, 120};

  static void describe(nephron::Schema<GammaParams>& s) {
    s.field("limit", &GammaParams::limit, "smallest and largest exponent; 100 changes nothing")
        .range(1, 1000)
        .unit("%");
  }
  void validate() const { nephron::require_order("limit", limit); }
};

class Gamma final : public nephron::Augmentation {
 public:
  explicit Gamma(const GammaParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    const double gamma = nephron::drawn(params_.limit, rng) / 100;
    std::array<std::uint8_t, 256> table{};
    // Truncation, not rounding: as Albumentations.
    for (std::size_t i = 0; i < table.size(); ++i)
      table[i] =
          static_cast<std::uint8_t>(std::min(std::pow(static_cast<double>(i) * (1.0 / 255), gamma) * 255, 255.0));
    plan.lookup({table, table, table});
  }

 private:
  GammaParams params_;
};

NEPHRON_PLUGIN("colour", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, Gamma, "gamma",
                  "Raises grey values to a power, as Albumentations' RandomGamma")
