#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <host/stats/interval.hpp>

namespace nephron::host {

/// The sign-flip (paired permutation) test of a mean difference: were both sides alike, each difference could as well
/// have the other sign. It supposes nothing else but that differences are independent, and symmetric where there is
/// nothing to find.
///
/// The p is two-sided, twice the smaller of the two sides, and exact: of all 2^n ways to choose signs. Of more than
/// `most_exact` differences it is of `draws` ways drawn at random, (1 + those as extreme) / (1 + draws) on each side.
class SignFlipTest {
 public:
  static constexpr std::size_t most_exact = 22;
  static constexpr std::size_t usual_draws = 100000;

  /// At least one difference, all finite; else Error.
  explicit SignFlipTest(std::span<const double> differences, std::uint64_t seed = 0, std::size_t draws = usual_draws);

  /// That the true mean is `shift`. Ties count as scipy.stats.permutation_test counts them.
  double p(double shift = 0) const;

  /// Every mean that this test does not refuse at 1 - level: p() is above that within, and at most that outside, so
  /// that interval and p never disagree. Infinite where so few differences can refuse nothing.
  Interval interval(double level = 0.95) const;

  bool exact() const noexcept { return flipped_.empty(); }
  double mean() const noexcept { return mean_; }

 private:
  std::vector<double> moved_by(double shift) const;
  /// The k-th smallest mean of what may be flipped, counted from 1.
  double ordered_mean(std::int64_t k) const;

  std::vector<double> differences_;
  double mean_;
  std::vector<double> flipped_;  ///< ordered means of what was flipped in each draw; empty: all are counted
  std::size_t draws_ = 0, drawn_nothing_ = 0;
};

/// What a test of so few differences can say at best.
double least_sign_flip_p(std::size_t differences);
/// The fewest differences of which a p under .05 exists.
inline constexpr std::size_t least_differences = 6;

}  // namespace nephron::host
