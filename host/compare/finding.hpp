#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <host/compare/value_table.hpp>
#include <host/stats/bootstrap.hpp>
#include <host/stats/paired.hpp>
#include <host/stats/variance.hpp>

namespace nephron::host {

/// What is compared: a run, or runs that are equal but for their seeds.
struct Side {
  std::string name;
  std::vector<std::size_t> runs;
};

enum class Verdict {
  exploratory,    ///< no verdict is given: not the figure that was named
  too_few,        ///< of so few donors none exists
  too_few_seeds,  ///< of so few the spread between seeds is not known well enough
  better,
  worse,
  equivalent,  ///< within the margin that was named
  undecided,
};
std::string text_of(Verdict verdict);
/// Nothing is decided: more donors, slides or seeds may.
bool is_open(Verdict verdict);
/// Degrees of freedom of the spread between seeds, below which a recipe gets no verdict: two a side, or one beside
/// three. Of one degree 5 % would be up to 11 % (docs/comparison.md).
inline constexpr double least_seed_freedom = 2;

/// What holds for whatever seed a recipe is trained with, where several were.
struct RecipeFinding {
  double of_donors = 0, of_seeds = 0, of_rest = 0;  ///< variances of a run's figures of donors
  double freedom = 0;                               ///< Satterthwaite's
  double seed_freedom = 0;                          ///< of the spread between seeds
  Interval interval;  ///< Student's with the spread of seeds, or the test's own where that is wider
  double p = 1;       ///< likewise the larger of both
};

/// A side against the first one, in one value.
struct Finding {
  std::size_t side = 0;
  std::string value, of_class;
  double first = 0, mean = 0;       ///< means over the donors
  double difference = 0;            ///< of the means: above 0 where this side's value is higher
  std::vector<double> differences;  ///< a donor
  bool exact = true;                ///< all ways to choose signs were counted
  Interval interval;                ///< 95 %, the test inverted
  double p = 1, adjusted = 1;       ///< adjusted: Holm over the sides, of the named value
  BootstrapIntervals bootstrap;
  PairedT student;
  SignedRank ranks;
  std::size_t won = 0, tied = 0;  ///< donors
  std::optional<RecipeFinding> recipe;
  Verdict verdict = Verdict::exploratory;
  bool within_margin = false;  ///< the interval that allows for the number of sides lies within it
  /// What the verdict goes by.
  const Interval& claimed() const { return recipe ? recipe->interval : interval; }
  double claimed_p() const { return recipe ? recipe->p : p; }
};

struct FindingOptions {
  std::uint64_t seed = 0;
  bool lower_is_better = false;
  std::optional<double> margin;
};

/// Every side but the first, against the first one. `verdicts`: the value is the one that was named.
std::vector<Finding> findings(const ValueTable& table, const std::vector<Side>& sides, const FindingOptions& options,
                              bool verdicts);

/// Means of a side's runs, a donor each.
std::vector<double> donors_of_side(const ValueTable& table, const Side& side);

}  // namespace nephron::host
