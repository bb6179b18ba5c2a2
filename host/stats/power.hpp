#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace nephron::host {

/// Of each of two sides.
struct SeedsOfSides {
  int first = 1, second = 1;
  /// What a variance of single runs is in the difference of both means.
  double shares() const { return 1.0 / first + 1.0 / second; }
  /// Degrees of freedom of their spread.
  int freedom() const { return first + second - 2; }
};

/// What was seen, and what an experiment to come may have of it.
struct PowerBasis {
  std::vector<double> differences;  ///< a donor each, of both sides' figures
  double effect = 0;                ///< the difference that is to be found
  double slide_variance = 0;        ///< of a slide's difference within its donor; 0: not known
  double slides_a_donor = 1;        ///< in what was seen
  double rest_variance = 0;         ///< of a run's figure of a donor between seeds, beside what all donors share
  double seed_variance = 0;         ///< of a run between seeds, shared by all donors
  SeedsOfSides seeds = {};          ///< in what was seen
  bool of_recipe = false;           ///< the claim is of all seeds: their spread counts
};

struct Design {
  int donors = 0;
  double slides = 1;  ///< a donor
  SeedsOfSides seeds = {};
  int least_seeds = 1;  ///< of every side, those of the comparisons beside too
};

/// How often an experiment would find an effect at p < .05, by simulation: donors' differences are drawn from those
/// that were seen, around the effect, as wide as their parts say. They are tested by signs; of more than 14 donors by
/// Student's test, which then finds as much. Where the claim is of a recipe, the test with the spread between seeds has
/// to find it too, with the very number of seeds that each side has.
class PowerModel {
 public:
  /// Throws Error for fewer than two differences.
  PowerModel(PowerBasis basis, std::uint64_t seed, std::size_t experiments = 2000);
  /// Of several comparisons with one first side, all of the same donors: p is adjusted over them (Holm), those of
  /// `beside` around their own effects, and the same donors are drawn for all.
  PowerModel(PowerBasis basis, std::vector<PowerBasis> beside, std::uint64_t seed, std::size_t experiments = 2000);

  double power(const Design& design) const;
  const PowerBasis& basis() const noexcept { return comparisons_.front().basis; }

 private:
  struct Comparison {
    explicit Comparison(PowerBasis seen);
    double variance_at(const Design& design) const;
    PowerBasis basis;
    std::vector<double> shape;  ///< of the differences: mean 0, variance 1
    double of_donors = 0;       ///< variance of a donor's difference that no slide and no seed lessens
  };
  class Experiment;

  std::vector<Comparison> comparisons_;  ///< the one that is asked about first
  std::uint64_t seed_;
  std::size_t experiments_;
};

/// The least number of one thing with which the power reaches `wanted`; nothing where `most` do not suffice.
std::optional<int> donors_for(const PowerModel& model, Design design, double wanted, int most);
std::optional<int> slides_for(const PowerModel& model, Design design, double wanted, int most);
/// Of each side: one that has more of them keeps them.
std::optional<int> seeds_for(const PowerModel& model, Design design, double wanted, int most);

}  // namespace nephron::host
