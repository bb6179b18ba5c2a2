#include <host/stats/power.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

#include <host/stats/distributions.hpp>
#include <host/stats/moments.hpp>
#include <host/stats/paired.hpp>
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

/// Of the test of these donors alone; 1 where that refuses nothing at .05. `critical`: of Student's t.
double p_of_donors(const std::vector<double>& differences, double critical) {
  if (differences.size() <= most_by_signs) return SignFlipTest(differences).p();
  const auto n = static_cast<double>(differences.size());
  const double mean = mean_of(differences), error = deviation_of(differences) / std::sqrt(n);
  return std::abs(mean) > critical * error ? t_two_sided(mean / error, n - 1) : 1;
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

PowerModel::Comparison::Comparison(PowerBasis seen_then) : basis(std::move(seen_then)) {
  const std::vector<double>& seen = basis.differences;
  if (seen.size() < 2) throw Error("power needs the differences of two donors at least");
  const double mean = mean_of(seen), variance = variance_of(seen), n = static_cast<double>(seen.size());
  // Drawn from themselves, n numbers vary by (n - 1) / n of what they tell of all.
  const double scale = variance > 0 ? 1 / std::sqrt(variance * (n - 1) / n) : 0;
  for (const double d : seen) shape.push_back((d - mean) * scale);
  of_donors = std::max(
      0.0, variance - basis.slide_variance / basis.slides_a_donor - basis.rest_variance * basis.seeds.shares());
}

double PowerModel::Comparison::variance_at(const Design& design) const {
  return of_donors + basis.slide_variance / design.slides + basis.rest_variance * design.seeds.shares();
}

/// One of those that are simulated: its donors, and what the first side's seeds do to every comparison with it.
class PowerModel::Experiment {
 public:
  Experiment(const Design& design, double critical, Rng& rng)
      : design_(design), critical_(critical), rng_(rng), differences_(static_cast<std::size_t>(design.donors)) {}

  void draw(std::size_t donors_seen) {
    first_ = rng_.normal();
    picks_.clear();
    for (std::size_t i = 0; i < differences_.size(); ++i)
      picks_.push_back(std::uint64_t{rng_.bits()} * donors_seen >> 32);
  }

  /// What a comparison comes out as; 1 where it is refused by its donors alone.
  double p(const Comparison& of, const SeedsOfSides& seeds) {
    Design design = design_;
    design.seeds = seeds;
    const PowerBasis& basis = of.basis;
    const double spread = std::sqrt(of.variance_at(design)), n = design.donors;
    const bool recipe = basis.of_recipe && seeds.freedom() > 0;
    const double by_seed = recipe ? std::sqrt(basis.seed_variance) : 0;
    const double centre =
        basis.effect + by_seed * (rng_.normal() / std::sqrt(seeds.second) - first_ / std::sqrt(seeds.first));
    for (std::size_t i = 0; i < differences_.size(); ++i) differences_[i] = centre + spread * of.shape[picks_[i]];
    const double of_donors = p_of_donors(differences_, critical_);
    return of_donors < refused_at && recipe ? std::max(of_donors, p_of_recipe(basis, seeds, n)) : of_donors;
  }

 private:
  double p_of_recipe(const PowerBasis& basis, const SeedsOfSides& of_sides, double n) {
    const double shares = of_sides.shares(), freedom = of_sides.freedom();
    const MeanSquare seeds = drawn_square(n * basis.seed_variance + basis.rest_variance, freedom, rng_);
    const MeanSquare rest = drawn_square(basis.rest_variance, freedom * (n - 1), rng_);
    std::array<WeighedSquare, 3> parts{
        {{1 / n, {variance_of(differences_), n - 1}}, {shares / n, seeds}, {-shares / n, rest}}};
    if (seeds.value <= rest.value) parts[1].factor = parts[2].factor = 0;
    const SummedVariance variance = satterthwaite(parts);
    return t_two_sided(mean_of(differences_) / std::sqrt(variance.value), variance.freedom);
  }

  const Design& design_;
  double critical_;
  Rng& rng_;
  double first_ = 0;
  std::vector<std::uint64_t> picks_;
  std::vector<double> differences_;
};

PowerModel::PowerModel(PowerBasis basis, std::uint64_t seed, std::size_t experiments)
    : PowerModel(std::move(basis), {}, seed, experiments) {}

PowerModel::PowerModel(PowerBasis basis, std::vector<PowerBasis> beside, std::uint64_t seed, std::size_t experiments)
    : seed_(seed), experiments_(experiments) {
  comparisons_.emplace_back(std::move(basis));
  for (PowerBasis& other : beside) comparisons_.emplace_back(std::move(other));
}

double PowerModel::power(const Design& design) const {
  Rng rng(seed_, "power");
  Experiment experiment(design, t_quantile(1 - refused_at / 2, design.donors - 1.0), rng);
  std::vector<double> p(comparisons_.size());
  std::size_t found = 0;
  for (std::size_t i = 0; i < experiments_; ++i) {
    experiment.draw(basis().differences.size());
    p[0] = experiment.p(comparisons_[0], design.seeds);
    if (p[0] >= refused_at) continue;
    // Small enough, the others do not matter.
    if (p[0] * static_cast<double>(p.size()) >= refused_at) {
      for (std::size_t k = 1; k < p.size(); ++k) {
        const SeedsOfSides& own = comparisons_[k].basis.seeds;
        p[k] = experiment.p(comparisons_[k], {design.seeds.first, std::max(own.second, design.least_seeds)});
      }
      if (holm(p).front() >= refused_at) continue;
    }
    ++found;
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
    design.least_seeds = n;
    return model.power(design) >= wanted;
  });
}

}  // namespace nephron::host
