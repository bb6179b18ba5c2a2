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

/// "fold 2" or "folds 0, 1", as predict.json in this folder says; the folder's name where it does not.
std::string prediction_name(const std::filesystem::path& folder);

/// Dice of every slide (a row) in every prediction (a column), with means and standard deviations of both; a table a
/// class. A slide that a prediction has no Dice of is left blank there. Empty where nothing has a Dice.
std::string fold_table(const std::vector<NamedScores>& predictions);

}  // namespace nephron::host
