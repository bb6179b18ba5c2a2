#include <host/compare/settle.hpp>

#include <algorithm>
#include <cmath>

#include <host/stats/moments.hpp>
#include <host/stats/sign_flip.hpp>

namespace nephron::host {

namespace {

/// Differences of slides, donor by donor.
std::vector<std::vector<double>> slide_differences(const ValueTable& table, const Side& first, const Side& side) {
  const auto mean = [&](const Side& of, std::size_t slide) {
    double sum = 0;
    for (const std::size_t run : of.runs) sum += table.by_slide[run][slide];
    return sum / static_cast<double>(of.runs.size());
  };
  std::vector<std::vector<double>> out(table.donors.size());
  for (std::size_t s = 0; s < table.slides.size(); ++s)
    out[table.donor_of[s]].push_back(mean(side, s) - mean(first, s));
  return out;
}

/// What was seen of one of the comparisons, with the difference that was.
PowerBasis basis_of(const Finding& finding, const ValueTable& table, const std::vector<Side>& sides) {
  const Side &first = sides.front(), &side = sides[finding.side];
  PowerBasis out{finding.differences, finding.difference};
  const NestedVariance nested = nested_variance(slide_differences(table, first, side));
  out.slide_variance = nested.known ? nested.of_slides : 0;
  // A donor's own mean of n slides lessens what slides add by n; of several, by the harmonic mean.
  double parts = 0;
  std::vector<double> slides(table.donors.size(), 0.0);
  for (const std::size_t d : table.donor_of) ++slides[d];
  for (const double n : slides) parts += 1 / n;
  out.slides_a_donor = static_cast<double>(slides.size()) / parts;
  out.seeds = {static_cast<int>(first.runs.size()), static_cast<int>(side.runs.size())};
  if (finding.recipe) {
    out.of_recipe = true;
    out.seed_variance = finding.recipe->of_seeds, out.rest_variance = finding.recipe->of_rest;
  }
  return out;
}

}  // namespace

bool Settling::dips() const {
  constexpr double errs = 0.03;  // two standard errors of a difference of two powers, of 2000 experiments each
  for (std::size_t i = 1; i < curve.size(); ++i)
    if (curve[i].second < curve[i - 1].second - errs) return true;
  return false;
}

std::optional<Settling> settling(const std::vector<Finding>& findings, std::size_t which, const ValueTable& table,
                                 const std::vector<Side>& sides, std::optional<double> effect, std::uint64_t seed) {
  const Finding& finding = findings.at(which);
  const std::vector<double>& seen = finding.differences;
  Settling out;
  out.stated = effect.has_value();
  out.effect = effect.value_or(finding.difference);
  if (seen.size() < 2 || out.effect == 0 || variance_of(seen) == 0) return std::nullopt;
  PowerBasis basis = basis_of(finding, table, sides);
  basis.effect = out.effect;
  out.slides_known = basis.slide_variance > 0;
  out.seeds_known = finding.recipe.has_value();
  std::vector<PowerBasis> beside;
  for (std::size_t i = 0; i < findings.size(); ++i)
    if (i != which) beside.push_back(basis_of(findings[i], table, sides));
  out.now = {static_cast<int>(seen.size()), basis.slides_a_donor, basis.seeds};
  const PowerModel model(std::move(basis), std::move(beside), seed);
  const bool enough_donors = out.now.donors >= static_cast<int>(least_differences);
  out.enough_seeds = !finding.recipe || finding.recipe->seed_freedom >= least_seed_freedom;
  const auto power = [&](const Design& design) { return out.enough_seeds ? model.power(design) : 0.0; };
  out.power = enough_donors ? power(out.now) : 0;
  if (out.enough_seeds) out.donors = donors_for(model, out.now, Settling::wanted, Settling::most);
  if (enough_donors) {
    if (out.slides_known && out.enough_seeds) out.slides = slides_for(model, out.now, Settling::wanted, Settling::most);
    if (out.seeds_known) out.seeds = seeds_for(model, out.now, Settling::wanted, Settling::most);
  }
  const int end = std::clamp(std::max(out.now.donors, out.donors.value_or(0)) * 3 / 2, 20, Settling::most);
  int last = 0;
  for (int i = 0; i <= 12; ++i) {
    const int n = static_cast<int>(std::lround(least_differences * std::pow(end / 6.0, i / 12.0)));
    if (n != last) out.curve.emplace_back(n, power({n, out.now.slides, out.now.seeds}));
    last = n;
  }
  return out;
}

}  // namespace nephron::host
