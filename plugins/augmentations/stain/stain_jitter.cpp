#include <map>
#include <optional>

#include <nephron/augmentation_params.hpp>
#include <nephron/slide_colours.hpp>

#include "stains.hpp"

namespace {

/// Published and usual colours of haematoxylin and eosin: those of Albumentations' HEStain, which names their sources.
const std::map<std::string, StainPair>& presets() {
  static const std::map<std::string, StainPair> all{
      {"ruifrok", {{{0.644211, 0.716556, 0.266844}, {0.092789, 0.954111, 0.283111}}}},
      {"macenko", {{{0.5626, 0.7201, 0.4062}, {0.2159, 0.8012, 0.5581}}}},
      {"standard", {{{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}}}},
      {"high_contrast", {{{0.55, 0.88, 0.11}, {0.12, 0.86, 0.49}}}},
      {"h_heavy", {{{0.75, 0.61, 0.32}, {0.04, 0.93, 0.36}}}},
      {"e_heavy", {{{0.60, 0.75, 0.28}, {0.17, 0.95, 0.25}}}},
      {"dark", {{{0.78, 0.55, 0.28}, {0.09, 0.97, 0.21}}}},
      {"light", {{{0.57, 0.71, 0.38}, {0.15, 0.89, 0.42}}}}};
  return all;
}

}  // namespace

struct StainJitterParams {
  std::string stains = "any";
  std::array<double, 2> scale{0.7, 1.3};
  std::array<double, 2> shift{-0.2, 0.2};

  static void describe(nephron::Schema<StainJitterParams>& s) {
    using P = StainJitterParams;
    std::vector<std::string> names{"any", "slide"};
    for (const auto& preset : presets()) names.push_back(preset.first);
    s.field("stains", &P::stains,
            "colours of the two stains; any: one of those that have a name, drawn; slide: the slide's own, as measured "
            "when it "
            "was prepared")
        .choices(names);
    s.field("scale", &P::scale, "smallest and largest factor of each stain's amount").range(0, 1.5);
    s.field("shift", &P::shift, "smallest and largest addition to each stain's amount; 1 is a density of 1, e-fold")
        .range(-2, 2);
  }
  void validate() const {
    nephron::require_order("scale", scale);
    nephron::require_order("shift", shift);
  }
};

/// Each pixel becomes a mixture of two stains, whose amounts are scaled and shifted.
class StainJitter final : public nephron::Augmentation {
 public:
  explicit StainJitter(const StainJitterParams& params) : params_(params) {
    for (const auto& [name, stains] : presets())
      if (params.stains == "any" || params.stains == name) stains_.push_back(stains);
  }

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const std::optional<StainPair> known = stains_of(sample, rng);
    if (!known) return;
    const StainPair& stains = *known;
    Pair factors{}, shifts{};
    for (double& f : factors) f = nephron::drawn(params_.scale, rng);
    for (double& s : shifts) s = nephron::drawn(params_.shift, rng);
    const auto matrix = stain_matrix(stains, stains, factors, shifts);
    if (within_a_plan(matrix)) plan.density_matrix(matrix, {255, 255, 255});
  }

 private:
  /// Nothing of a slide whose own are not known: it has too little tissue, or one stain alone.
  std::optional<StainPair> stains_of(const nephron::SampleInfo& sample, nephron::Rng& rng) const {
    if (!stains_.empty())
      return stains_[static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(stains_.size()) - 1))];
    const nephron::SlideColours* const own = nephron::slide_colours(sample);
    if (own == nullptr || !(own->strength[0] > 0)) return std::nullopt;
    return own->stains;
  }

  StainJitterParams params_;
  std::vector<StainPair> stains_;  ///< empty: the slide's own
};

NEPHRON_PLUGIN("stain", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, StainJitter, "stain_jitter",
                  "Scales and shifts haematoxylin and eosin of known colours, as Albumentations' HEStain")
