#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nephron::host {

/// Student's test of paired differences, and their effect size.
struct PairedT {
  double t = 0, p = 1;
  double dz = 0;  ///< mean over deviation of the differences (Cohen's d of pairs)
};
/// Of fewer than two, or of differences that are all alike, NaN where nothing can be said.
PairedT paired_t(std::span<const double> differences);

/// Wilcoxon's signed rank test, exact: differences of 0 are left out, equal sizes share the mean of their ranks, and
/// the distribution is that of all signs of these very ranks.
struct SignedRank {
  double statistic = 0;    ///< the smaller of the two sums of ranks
  double p = 1;            ///< two-sided
  std::size_t ranked = 0;  ///< differences that are not 0
};
SignedRank signed_rank(std::span<const double> differences);

/// Holm's step-down adjustment (1979), in the order of `p`.
std::vector<double> holm(std::span<const double> p);

}  // namespace nephron::host
