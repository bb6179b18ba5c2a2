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

}  // namespace

/// The amounts of a slide's two stains in the colours and at the strength of another slide's (Macenko et al. 2009;
/// Vahadane et al. 2016): these differ in how a slide's stains are found, not in what is done with them.
class StainTransfer final : public nephron::Augmentation {
 public:
  explicit StainTransfer(const TransferParams& params) : share_(params.share), slides_(params, stains_of) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const StainStatistics &from = slides_.of(sample.slide), &to = slides_.drawn_target(rng);
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
  SlideTable<StainStatistics> slides_;
};

NEPHRON_COMPONENT(nephron::Augmentation, StainTransfer, "stain_transfer",
                  "One slide's tissue in another slide's stains (Macenko et al. 2009, Vahadane et al. 2016)")
