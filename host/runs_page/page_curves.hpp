#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <host/html/chart.hpp>

namespace nephron::host {

/// A figure of a run against its optimiser steps: the mean of its folds, and between what they lie.
struct PageCurve {
  std::vector<double> steps, mean;
  std::vector<double> low, high;  ///< empty where there is one fold
  bool empty() const noexcept { return steps.empty(); }
};

/// What of a run's metrics.jsonl goes into the page.
struct PageCurves {
  std::vector<PageCurve> of;   ///< a name that was asked for each; empty where the run has no such figure
  double steps_per_epoch = 0;  ///< 0: not known
};

/// Lines of validation are read all, of those of single steps five hundred a fold at most. A point is the mean of its
/// neighbours where there are more than `most`. Throws Error for a damaged line, with its place.
PageCurves read_page_curves(const std::filesystem::path& run, const std::vector<std::string>& names, std::size_t most);

/// At most so many points.
PageCurve thinned(const PageCurve& curve, std::size_t most);

}  // namespace nephron::host
