#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <host/metrics/slide_meter.hpp>
#include <host/util/checked_json.hpp>

namespace nephron::host {

/// Dice of one picture, a value a class (in the experiment's order): no number where its truth says nothing of the
/// class, and an empty curve.
struct PictureScore {
  std::vector<double> threshold;
  std::vector<double> dice;          ///< at the picture's own size
  std::vector<double> dice_reduced;  ///< at the level that the model works on
  /// Dice by searched threshold (threshold_search.hpp), a list a class; empty where one threshold was given.
  std::vector<std::vector<double>> curve{}, curve_reduced{};
  /// Digests of the picture at the level that the model works on, as prepared slides have it, and of the true masks:
  /// predictions with other ones are not to be compared. Empty: not known, of an earlier version.
  std::string picture{}, masks{};
};

/// Why a picture counts as one that networks of a prediction were trained on.
struct TrainedOn {
  std::vector<int> folds;  ///< whose networks were
  std::string by;          ///< what is equal: "file", "content", "name"

  std::string str() const;  ///< "same file, folds 0, 1"
};

/// What a prediction came to: scores.json in its folder.
struct Scores {
  std::vector<std::string> classes;
  std::map<std::string, PictureScore> pictures;  ///< by id; only those with a mask
  std::map<std::string, std::string> failures;   ///< id -> why it has no prediction
  std::map<std::string, TrainedOn> trained_on;   ///< by id; pictures without a mask too
  std::vector<PooledValue> values{};             ///< by the metrics that were asked for, of all pictures with a mask
  std::map<std::string, std::vector<MetricValue>> values_of{};  ///< the same of each

  /// Where curves are there: for each class the threshold with the best mean Dice over the pictures, at the level that
  /// the model works on. Every picture's figures become those of that threshold. Gives back an index into
  /// searched_thresholds a class: that of 0.5 where no picture has a curve.
  std::vector<std::size_t> choose_thresholds();

  /// True when the thresholds were chosen on the pictures that are scored.
  bool searched() const;
  /// Mean over the pictures whose truth tells of a class, a value a class; empty when nothing was scored.
  PictureScore mean() const;
  /// The same over those that no network was trained on.
  PictureScore mean_of_new() const;
  /// How many of the scored pictures networks were trained on.
  std::size_t scored_and_trained_on() const;
  /// What makes the figures better than they would be of new pictures, a sentence each; empty: nothing is known of.
  std::vector<std::string> cautions() const;
  /// One line a picture, then means and cautions, for the terminal; empty when nothing was scored. `reduced`: says the
  /// second Dice too, where the model works on reduced pictures. Where thresholds were searched, each picture's own
  /// best follows, at that level.
  std::string table(bool reduced) const;
};

/// The score of a picture as JSON, and back. Throws Error that names the place of what is no score.
nlohmann::ordered_json score_json(const std::vector<std::string>& classes, const PictureScore& score);
PictureScore read_score(const std::vector<std::string>& classes, const JsonNode& json);

/// Scores of `file` without values of metrics; none when it does not exist. Throws Error that names file and place for
/// anything but what write_scores() wrote.
Scores read_scores(const std::filesystem::path& file);
void write_scores(const std::filesystem::path& file, const Scores& scores);

}  // namespace nephron::host
