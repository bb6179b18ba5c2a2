#pragma once

#include <span>
#include <vector>

#include <host/stats/interval.hpp>

namespace nephron::host {

/// A mean square of an analysis of variance, with its degrees of freedom.
struct MeanSquare {
  double value = 0, freedom = 0;
};

/// Donors x seeds, a figure each: what of the spread is donors, seeds, and the rest (their interaction among it).
struct CrossedVariance {
  MeanSquare donors, seeds, rest;
  double of_donors = 0, of_seeds = 0, of_rest = 0;  ///< variances; what comes out below 0 is 0
};
/// `table`: a seed each, with a figure of each donor. At least two of both; else Error.
CrossedVariance crossed_variance(const std::vector<std::vector<double>>& table);

/// Slides within donors, any number each.
struct NestedVariance {
  MeanSquare donors, slides;
  double slides_a_donor = 1;            ///< that the mean square of donors counts, between mean and least number
  double of_donors = 0, of_slides = 0;  ///< variances; what comes out below 0 is 0
  bool known = false;                   ///< some donor has several slides
};
/// `groups`: a donor each, with a figure of each slide. At least two donors.
NestedVariance nested_variance(const std::vector<std::vector<double>>& groups);

/// A variance that is a sum of mean squares, each times a factor; and its degrees of freedom as Satterthwaite (1946)
/// says. Mean squares may count below 0.
struct SummedVariance {
  double value = 0, freedom = 0;
};
struct WeighedSquare {
  double factor = 0;
  MeanSquare square;
};
SummedVariance satterthwaite(std::span<const WeighedSquare> squares);

/// What is known of a mean whose variance is such a sum.
struct MeanWithVariance {
  Interval interval;
  double p = 1;  ///< that it is 0, two-sided
};
MeanWithVariance t_interval(double mean, const SummedVariance& variance, double level = 0.95);

}  // namespace nephron::host
