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

}  // namespace

/// Means and deviations of lightness and colours moved towards another slide's (Reinhard et al. 2001; with targets that
/// are drawn, as an augmentation: Shen et al. 2022).
class Reinhard final : public nephron::Augmentation {
 public:
  explicit Reinhard(const TransferParams& params) : share_(params.share), slides_(params, lab_of_slide) { lab_nodes(); }

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const LabStatistics &own = slides_.of(sample.slide), &target = slides_.drawn_target(rng);
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
  SlideTable<LabStatistics> slides_;
};

NEPHRON_COMPONENT(nephron::Augmentation, Reinhard, "reinhard",
                  "One slide's tissue with another slide's means and deviations in CIELAB (Reinhard et al. 2001)")
