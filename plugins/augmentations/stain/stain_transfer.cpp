#include "stain_statistics.hpp"

namespace {

StainStatistics stains_of(const nephron::Value& members, const std::string& where) {
  const nephron::Value& stains = nephron::json_member(members, "stains", nephron::Value::Type::array, where);
  if (stains.array().size() != 2) throw nephron::Error(where + ": \"stains\" has to be a list of two lists");
  StainStatistics out{};
  for (std::size_t i = 0; i < 2; ++i)
    out.stains[i] = StatisticsFile::numbers<3>(stains.array()[i], where + ", \"stains\"");
  out.strength = StatisticsFile::member<2>(members, "strength", where);
  if (!(out.strength[0] > 0 && out.strength[1] > 0)) throw nephron::Error(where + ": \"strength\" has to be above 0");
  amounts_of(out.stains);  // throws for what cannot be told apart
  return out;
}

/// Stains that others come to have.
struct TargetStains {
  StainPair stains{};
  Pair strength{};
  static void describe(nephron::Schema<TargetStains>& s) {
    s.field("stains", &TargetStains::stains, "optical densities of both stains, red, green, blue")
        .range(0, 10)
        .required();
    s.field("strength", &TargetStains::strength, "amount of each where there is much").range(0.01, 100).required();
  }
  void validate() const { amounts_of(stains); }
};

std::optional<StainStatistics> measured(const nephron::SlideColours& colours) {
  if (!(colours.strength[0] > 0 && colours.strength[1] > 0)) return std::nullopt;
  return StainStatistics{colours.stains, colours.strength};
}

}  // namespace

/// The amounts of a slide's two stains in the colours and at the strength of another slide's (Macenko et al. 2009;
/// Vahadane et al. 2016): these differ in how a slide's stains are found, not in what is done with them.
class StainTransfer final : public nephron::Augmentation {
 public:
  explicit StainTransfer(const TransferParams<TargetStains>& params)
      : share_(params.share), slides_(params, stains_of, measured) {
    if (params.to) to_ = StainStatistics{params.to->stains, params.to->strength};
  }

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const std::optional<StainStatistics> own = slides_.own(sample), target = to_ ? to_ : slides_.target(sample, rng);
    if (!own || !target) return;
    const StainStatistics &from = *own, &to = *target;
    const double share = nephron::drawn(share_, rng);
    StainPair stains{};
    Pair factors{};
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::size_t c = 0; c < 3; ++c) stains[k][c] = (1 - share) * from.stains[k][c] + share * to.stains[k][c];
      factors[k] = std::pow(to.strength[k] / from.strength[k], share);
    }
    const auto matrix = stain_matrix(from.stains, stains, factors, {0, 0});
    if (within_a_plan(matrix)) plan.density_matrix(matrix, {255, 255, 255});
  }

 private:
  std::array<double, 2> share_;
  std::optional<StainStatistics> to_;
  SlideTable<StainStatistics> slides_;
};

NEPHRON_COMPONENT(nephron::Augmentation, StainTransfer, "stain_transfer",
                  "One slide's tissue in another slide's stains (Macenko et al. 2009, Vahadane et al. 2016)")
