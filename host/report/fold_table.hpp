#pragma once

#include <string>
#include <vector>

#include <host/predict/scores.hpp>

namespace nephron::host {

/// What one prediction of a run came to.
struct NamedScores {
  std::string name;  ///< "fold 2"
  Scores scores;
};

/// Dice of every slide (a row) in every prediction (a column), with means and standard deviations of both; a table a
/// class. A slide counts once in the mean of means. One that a prediction has no Dice of is left blank there. Empty
/// where nothing has a Dice.
std::string fold_table(const std::vector<NamedScores>& predictions);

}  // namespace nephron::host
