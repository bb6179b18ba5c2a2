#pragma once

#include <memory>
#include <string>
#include <vector>

#include <host/metrics/metric_set.hpp>
#include <host/predict/member.hpp>

namespace nephron::host {

/// What pictures whose truth is known are measured by, beside their Dice, at the level that the model works on.
struct PictureMetrics {
  MetricSet set;
  std::string objects;  ///< how they are made
  bool kept = true;     ///< every measurement can be kept (kept_measures.hpp)

  /// All that values depend on besides pixels. `thresholds`: a class each, or one of all.
  std::string key(const std::vector<double>& thresholds) const;
};

/// Null where none is asked for. Throws UsageError for what cannot be measured.
std::unique_ptr<const PictureMetrics> picture_metrics(const PredictRequest& request, const Member& first);

/// Objects at a level, by the sizes that they have at the picture's own.
ObjectOptions objects_at(Reduction reduction, const Kept& kept);

}  // namespace nephron::host
