#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <host/metrics/measure_tables.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/picture_metrics.hpp>
#include <host/predict/scores.hpp>

namespace nephron::host {

/// What the pictures of a prediction were measured to be: in files (OUT/measures), but for metrics whose measurements
/// cannot be kept there.
class PictureMeasures {
 public:
  /// All outlive it. `group`: name of the pictures' dataset.
  PictureMeasures(const PictureMetrics& metrics, const OutputFolder& output, const PredictSettings& settings,
                  const std::vector<std::string>& classes, std::string group);

  /// True when a picture whose truth is known needs not be predicted to be measured.
  bool has(const std::string& id) const;
  /// Of a picture whose measures cannot be kept in a file.
  void take(const std::string& id, SlideRow row) { here_[id] = std::move(row); }

  struct Measured {
    std::vector<PictureFile> at_others;           ///< were measured at other thresholds, and their rows are gone
    std::map<std::string, std::string> failures;  ///< id -> why it could not be measured
  };
  /// Measures scored pictures at the thresholds that a search found, a class each: those whose rows wait for it
  /// (unmeasured_rows.hpp). Throws Cancelled, and WriteError where nothing more can be written.
  Measured measure(const std::vector<PictureFile>& pictures, const Scores& scores,
                   const std::vector<double>& thresholds);

  /// Values of all scored pictures into `scores`, and the tables: in the order of their ids, whoever predicted them and
  /// when. `thresholds`: those that they are measured at, a class each.
  void add_up(const std::vector<PictureFile>& pictures, const std::vector<double>& thresholds, Scores& scores) const;

 private:
  bool measured_of_rows(const std::string& id, const PictureScore& score, const std::vector<double>& thresholds);

  const PictureMetrics& metrics_;
  const OutputFolder& output_;
  const PredictSettings& settings_;
  const std::vector<std::string>& classes_;
  std::string group_;
  std::map<std::string, SlideRow> here_;
};

}  // namespace nephron::host
