#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <host/metrics/measure_tables.hpp>
#include <host/metrics/slide_meter.hpp>
#include <host/validate/threshold_scores.hpp>

namespace nephron::host {

/// What `nephron validate` is asked for. What is not given comes from the run's experiment.
struct ValidateRequest {
  std::filesystem::path run;  ///< a run's folder, or a fold's inside it
  std::filesystem::path out;  ///< empty: RUN/validation
  std::string fold;           ///< "K", "all", or "": the fold that `run` names, else all
  std::string checkpoint = "best";
  std::string device = "auto";
  std::string precision = "fp32";
  std::vector<std::string> tta;
  std::optional<double> threshold;
  std::vector<std::string> metrics{"dice"};
  std::vector<std::string> set;   ///< "METRIC.PARAMETER=VALUE"
  std::vector<std::string> save;  ///< "probabilities", "masks"
  ObjectOptions objects;
  bool all_tiles = false;  ///< those of nothing but glass too
  bool go_on = false;      ///< --continue
  bool overwrite = false;
  std::vector<std::filesystem::path> plugins;
};

/// What a metric was, for whoever compares its values with those of another validation.
struct MetricOrigin {
  std::string name, plugin, version;
  std::string parameters;  ///< all of them, as TOML; equal for what means the same
};

struct ValidateOutcome {
  std::filesystem::path run, folder;
  std::vector<std::string> classes, metrics, tta;
  std::vector<double> thresholds;  ///< a class, that metrics measured at
  std::string threshold_from;      ///< "--threshold", "experiment", or "0.5": the experiment searches one
  std::vector<MetricOrigin> origins;
  ObjectOptions objects;
  std::vector<int> folds;
  std::map<int, std::string> weights;  ///< a fold -> the checkpoint that was measured, "step-40"
  std::string checkpoint, precision;
  bool exclusive = false;                 ///< then there is no threshold
  std::vector<SlideRow> slides;           ///< in the order in which they were predicted
  std::vector<ThresholdScores> searched;  ///< a class; empty where classes exclude each other
  std::vector<PooledValue> values;
  std::vector<PooledCurve> curves;
  std::map<std::string, std::string> failures;  ///< slide -> why it was not measured
  bool complete = false;                        ///< no Ctrl-C cut it short
  std::int64_t measured_before = 0;             ///< slides, by a validation that this one goes on with

  /// scores.json.
  std::string json() const;
  /// For the terminal.
  std::string table() const;
};

/// Predicts every slide that a fold held out with that fold's network, and measures it in one pass. Writes scores.json,
/// slides.csv, slides.jsonl, objects.csv and objects.jsonl, and, of each slide once it is measured, what a validation
/// goes on with (measures/). A slide that cannot be measured is named in `failures`. After Ctrl-C, what was measured by
/// then is written, and Cancelled thrown.
ValidateOutcome validate_run(const ValidateRequest& request);

}  // namespace nephron::host
