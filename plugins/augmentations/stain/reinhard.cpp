#include "lab.hpp"
#include "stain_statistics.hpp"

namespace {

constexpr int side = 17;

/// CIELAB at the nodes of the cube, red fastest.
const std::vector<std::array<float, 3>>& lab_nodes() {
  static const std::vector<std::array<float, 3>> nodes = [] {
    std::vector<std::array<float, 3>> out;
    constexpr float step = 255.0F / (side - 1);
    for (int b = 0; b < side; ++b)
      for (int g = 0; g < side; ++g)
        for (int r = 0; r < side; ++r)
          out.push_back(
              lab_of({step * static_cast<float>(r), step * static_cast<float>(g), step * static_cast<float>(b)}));
    return out;
  }();
  return nodes;
}

LabStatistics lab_of_slide(const nephron::Value& members, const std::string& where) {
  const LabStatistics out{StatisticsFile::member<3>(members, "lab_mean", where),
                          StatisticsFile::member<3>(members, "lab_deviation", where)};
  for (const double d : out.deviation)
    if (!(d > 0)) throw nephron::Error(where + ": \"lab_deviation\" has to be above 0");
  return out;
}

/// Means and deviations that others come to have.
struct TargetLab {
  Stain mean{}, deviation{};
  static void describe(nephron::Schema<TargetLab>& s) {
    s.field("mean", &TargetLab::mean, "of lightness, a and b (CIELAB)").range(-128, 128).required();
    s.field("deviation", &TargetLab::deviation, "of lightness, a and b").range(0.01, 128).required();
  }
};

std::optional<LabStatistics> measured(const nephron::SlideColours& colours) {
  for (const double d : colours.lab_deviation)
    if (!(d > 0)) return std::nullopt;
  return LabStatistics{colours.lab_mean, colours.lab_deviation};
}

}  // namespace

/// Means and deviations of lightness and colours moved towards another slide's (Reinhard et al. 2001; with targets that
/// are drawn, as an augmentation: Shen et al. 2022).
class Reinhard final : public nephron::Augmentation {
 public:
  explicit Reinhard(const TransferParams<TargetLab>& params)
      : share_(params.share), slides_(params, lab_of_slide, measured) {
    if (params.to) to_ = LabStatistics{params.to->mean, params.to->deviation};
    lab_nodes();
  }

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const std::optional<LabStatistics> known = slides_.own(sample), wanted = to_ ? to_ : slides_.target(sample, rng);
    if (!known || !wanted) return;
    const LabStatistics &own = *known, &target = *wanted;
    const double share = nephron::drawn(share_, rng);
    std::array<float, 3> factor{}, offset{};
    for (std::size_t c = 0; c < 3; ++c) {
      const double from = own.mean[c], f = std::pow(target.deviation[c] / own.deviation[c], share);
      factor[c] = static_cast<float>(f);
      offset[c] = static_cast<float>(from + share * (target.mean[c] - from) - f * from);
    }
    std::vector<float> values;
    values.reserve(3 * lab_nodes().size());
    for (const auto& lab : lab_nodes()) {
      std::array<float, 3> moved{};
      for (std::size_t c = 0; c < 3; ++c) moved[c] = factor[c] * lab[c] + offset[c];
      const auto rgb = rgb_of(moved);
      values.insert(values.end(), rgb.begin(), rgb.end());
    }
    plan.colour_cube(side, values);
  }

 private:
  std::array<double, 2> share_;
  std::optional<LabStatistics> to_;
  SlideTable<LabStatistics> slides_;
};

NEPHRON_COMPONENT(nephron::Augmentation, Reinhard, "reinhard",
                  "One slide's tissue with another slide's means and deviations in CIELAB (Reinhard et al. 2001)")
