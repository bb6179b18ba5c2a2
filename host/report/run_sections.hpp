#pragma once

#include <string>
#include <utility>
#include <vector>

#include <host/runs/metrics_log.hpp>
#include <host/runs/run.hpp>

namespace nephron::host {

/// What a fold wrote while it was trained.
struct FoldHistory {
  int fold = 0;
  std::vector<std::pair<std::int64_t, MetricsLog::Values>> lines;
  MetricsLog::Values done;  ///< numbers of done.json; empty while it is not finished
  std::string slides;       ///< "4 + 2": trained on and held out; empty when it does not say
};

/// Throws Error that names the file for one that is damaged.
std::vector<FoldHistory> histories(const RunFolder& run);

/// Curves of loss, Dice and learning rate.
std::string curves_section(const std::vector<FoldHistory>& folds);
/// A line a fold: best Dice, slides, epochs, time.
std::string folds_section(const std::vector<FoldHistory>& folds);
/// environment.json.
std::string environment_section(const RunFolder& run);

/// Figure of `values`, or `otherwise`.
double value_of(const MetricsLog::Values& values, const std::string& name, double otherwise);

}  // namespace nephron::host
