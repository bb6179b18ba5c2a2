#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include <host/metrics/dice.hpp>

namespace nephron::host {

/// Dice of one class of a slide at each of `searched_thresholds`.
struct SlideCurve {
  int fold = 0;  ///< that held the slide out
  std::vector<double> dice;
};

/// Dice of the slides of each fold at the threshold that is best for the slides of the other folds: nothing of it was
/// chosen on what it scores.
struct CrossFitted {
  Spread dice;
  std::map<int, std::size_t> thresholds;  ///< a fold -> index into searched_thresholds
};

/// Dice of one class over the searched thresholds, as the reference pipeline scores.
struct ThresholdScores {
  std::vector<std::vector<double>> curves;  ///< a slide that says something of the class
  std::vector<double> mean_curve;
  std::size_t best = 0;                ///< of all slides together: index into searched_thresholds
  Spread at_best;                      ///< of the slides' Dice there: the threshold was chosen on them
  Spread own_best;                     ///< of each slide's best
  Spread at_half;                      ///< at 0.5, which nothing chose
  std::optional<CrossFitted> crossed;  ///< nothing where all slides are of one fold
};
ThresholdScores threshold_scores(std::vector<SlideCurve> curves);

}  // namespace nephron::host
