#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <host/predict/picture_file.hpp>
#include <host/predict/scores.hpp>

namespace nephron::host {

/// What `nephron predict` left in a folder: predict.json and scores.json, each checked, and one against the other.
struct PredictionRecord {
  std::filesystem::path images;     ///< a folder; empty:
  std::vector<PictureFile> slides;  ///< these files
  std::filesystem::path masks;      ///< empty: none
  std::string masks_as, dataset;    ///< how masks say their class; whose slides and annotations they were
  std::vector<std::string> classes;
  std::vector<int> folds;  ///< empty: not said, by an old prediction
  /// By key, as JSON: equal texts mean equal predictions. Empty: not said, by an old prediction.
  std::vector<std::pair<std::string, std::string>> settings;
  Scores scores;  ///< of `classes`; every scored picture is one of the folder

  /// What was asked for, as it is there now. Throws Error when a folder cannot be listed.
  std::vector<PictureFile> pictures() const;
  /// The file of a picture; empty when it is gone.
  std::filesystem::path file_of(const std::string& id) const;
  /// "fold 2" or "folds 0, 1"; `otherwise` when it is not known.
  std::string name(const std::string& otherwise) const;
};

/// Throws Error that names file and place when the folder holds no prediction, or not what was written.
PredictionRecord read_prediction(const std::filesystem::path& folder);

}  // namespace nephron::host
