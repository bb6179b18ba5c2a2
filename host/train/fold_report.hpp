#pragma once

#include <string>
#include <vector>

#include <host/runs/metrics_log.hpp>
#include <host/train/fold_job.hpp>
#include <host/train/validation.hpp>

namespace nephron::host {

/// What the end of an epoch tells: a line of metrics, and a line for people.
struct EpochReport {
  MetricsLog::Values line;
  std::string text;

  /// Begins both with the training's own figures.
  EpochReport(const FoldJob& job, const TrainProgress& progress, double train_loss);
  /// The validation of the weights that the training has, and whether they are the best so far.
  void add(const Validation& validation, const std::vector<std::string>& classes, bool best);
  /// The best so far, so that the last line of a fold tells it.
  void add_best(const TrainProgress& progress, const std::vector<std::string>& classes);
  /// That of the averaged weights.
  void add_average(const Validation& validation, const std::vector<std::string>& classes);
};

/// Writes done.json, the final figures of a finished fold, and reads it again. Throws Error that names the file and the
/// place of what nobody wrote.
void write_done(const FoldFolder& folder, const FoldResult& result, const std::vector<std::string>& classes);
FoldResult read_done(const FoldFolder& folder, const std::vector<std::string>& classes);

}  // namespace nephron::host
