#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace nephron::host {

/// Dice of one picture, a value a class (in the experiment's order).
struct PictureScore {
  std::vector<double> threshold;
  std::vector<double> dice;          ///< at the picture's own size
  std::vector<double> dice_reduced;  ///< at the level that the model works on
};

/// What a prediction came to: scores.json in its folder.
struct Scores {
  std::vector<std::string> classes;
  std::map<std::string, PictureScore> pictures;  ///< by id; only those with a mask
  std::map<std::string, std::string> failures;   ///< id -> why it has no prediction

  /// Mean over the pictures, a value a class; empty when nothing was scored.
  PictureScore mean() const;
  /// One line a picture, then the mean, for the terminal; empty when nothing was scored. `reduced`: says the second
  /// Dice too, where the model works on reduced pictures.
  std::string table(bool reduced) const;
};

/// Scores of `file`; none when it does not exist. Throws Error for anything but what write_scores() wrote.
Scores read_scores(const std::filesystem::path& file);
void write_scores(const std::filesystem::path& file, const Scores& scores);

}  // namespace nephron::host
