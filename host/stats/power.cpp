#include <host/stats/power.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

#include <host/stats/distributions.hpp>
#include <host/stats/moments.hpp>
#include <host/stats/sign_flip.hpp>
#include <host/stats/variance.hpp>

namespace nephron::host {

namespace {

constexpr double refused_at = 0.05;
/// Of more differences Student's test finds the same share of effects, in a hundredth of the time.
constexpr std::size_t most_by_signs = 14;

/// A mean square as it would come out.
MeanSquare drawn_square(double expected, double freedom, Rng& rng) {
  return {expected * 2 * rng.gamma(freedom / 2) / freedom, freedom};
}

/// `critical`: of Student's t.
bool is_found(const std::vector<double>& differences, double critical) {
  if (differences.size() <= most_by_signs) return SignFlipTest(differences).p() < refused_at;
  const double error = deviation_of(differences) / std::sqrt(static_cast<double>(differences.size()));
  return std::abs(mean_of(differences)) > critical * error;
}

/// Doubles until it suffices, then halves what is between.
template <class Enough>
std::optional<int> least(int from, int most, const Enough& enough) {
  if (from > most) return std::nullopt;
  if (enough(from)) return from;
  int below = from, above = from;
  do {
    if (above == most) return std::nullopt;
    below = above, above = std::min(most, 2 * above);
  } while (!enough(above));
  while (above - below > 1) {
    const int middle = below + (above - below) / 2;
    (enough(middle) ? above : below) = middle;
  }
  return above;
}

}  // namespace

PowerModel::PowerModel(PowerBasis basis, std::uint64_t seed, std::size_t experiments)
    : basis_(std::move(basis)), seed_(seed), experiments_(experiments) {
  const std::vector<double>& seen = basis_.differences;
  if (seen.size() < 2) throw Error("power needs the differences of two donors at least");
  const double mean = mean_of(seen), variance = variance_of(seen), n = static_cast<double>(seen.size());
  // Drawn from themselves, n numbers vary by (n - 1) / n of what they tell of all.
  const double scale = variance > 0 ? 1 / std::sqrt(variance * (n - 1) / n) : 0;
  for (const double d : seen) shape_.push_back((d - mean) * scale);
  of_donors_ = std::max(
      0.0, variance - basis_.slide_variance / basis_.slides_a_donor - basis_.rest_variance * basis_.seeds.shares());
}

double PowerModel::variance_at(const Design& design) const {
  return of_donors_ + basis_.slide_variance / design.slides + basis_.rest_variance * design.seeds.shares();
}

double PowerModel::power(const Design& design) const {
  const double spread = std::sqrt(variance_at(design)), n = design.donors;
  const double shares = design.seeds.shares(), freedom = design.seeds.freedom();
  const bool recipe = basis_.of_recipe && freedom > 0;
  const double shared = recipe ? std::sqrt(shares * basis_.seed_variance) : 0;
  const double critical = t_quantile(1 - refused_at / 2, n - 1);
  Rng rng(seed_, "power");
  std::vector<double> differences(static_cast<std::size_t>(design.donors));
  std::size_t found = 0;
  for (std::size_t i = 0; i < experiments_; ++i) {
    const double centre = basis_.effect + (recipe ? shared * rng.normal() : 0);
    for (double& d : differences) d = centre + spread * shape_[std::uint64_t{rng.bits()} * shape_.size() >> 32];
    bool significant = is_found(differences, critical);
    if (significant && recipe) {
      const MeanSquare seeds = drawn_square(n * basis_.seed_variance + basis_.rest_variance, freedom, rng);
      const MeanSquare rest = drawn_square(basis_.rest_variance, freedom * (n - 1), rng);
      std::array<WeighedSquare, 3> parts{
          {{1 / n, {variance_of(differences), n - 1}}, {shares / n, seeds}, {-shares / n, rest}}};
      if (seeds.value <= rest.value) parts[1].factor = parts[2].factor = 0;
      const SummedVariance variance = satterthwaite(parts);
      significant = t_two_sided(mean_of(differences) / std::sqrt(variance.value), variance.freedom) < refused_at;
    }
    found += significant ? 1 : 0;
  }
  return static_cast<double>(found) / static_cast<double>(experiments_);
}

std::optional<int> donors_for(const PowerModel& model, Design design, double wanted, int most) {
  return least(static_cast<int>(least_differences), most, [&](int n) {
    design.donors = n;
    return model.power(design) >= wanted;
  });
}

std::optional<int> slides_for(const PowerModel& model, Design design, double wanted, int most) {
  return least(1, most, [&](int n) {
    design.slides = n;
    return model.power(design) >= wanted;
  });
}

std::optional<int> seeds_for(const PowerModel& model, Design design, double wanted, int most) {
  const SeedsOfSides now = design.seeds;
  return least(model.basis().of_recipe ? 2 : 1, most, [&](int n) {
    design.seeds = {std::max(now.first, n), std::max(now.second, n)};
    return model.power(design) >= wanted;
  });
}

}  // namespace nephron::host
