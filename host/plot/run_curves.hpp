#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <host/html/chart.hpp>
#include <host/runs/metrics_log.hpp>

namespace nephron::host {

using MetricLines = std::vector<std::pair<std::int64_t, MetricsLog::Values>>;

/// A figure of a fold against steps; what is not finite is left out.
Points points_of(const MetricLines& lines, const std::string& name);

/// Height of a line at x, straight between its points; nothing beyond its ends.
std::optional<double> height_at(const Points& curve, double x);

/// "Validation Dice" for "dice"; the metric's own name where it has no other.
std::string title_of_metric(const std::string& metric);

/// Several lines as one: their mean wherever two of them at least go, and what they lie between.
struct JoinedCurve {
  Points mean;
  Band band;
};
/// Between its points a line is straight. Nothing where fewer than two curves have a point.
JoinedCurve joined(const std::vector<Points>& curves, int colour);

/// What `nephron plot` is asked for.
struct PlotRequest {
  std::vector<std::filesystem::path> runs;  ///< runs, folds, folders of an experiment's runs
  std::string metric;                       ///< empty: what the best weights are chosen by
  std::string title;                        ///< empty: made of the metric's name
};

/// The curves of runs over each other: a line an experiment, folds and seeds of one joined with a band. Runs whose
/// settings differ have lines of their own, named after what differs. Throws UsageError for a metric that no run has,
/// and a run that is named twice.
Chart plot_of(const PlotRequest& request);

}  // namespace nephron::host
