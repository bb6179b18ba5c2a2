#include <host/predict/picture_metrics.hpp>

#include <algorithm>
#include <cmath>

#include <host/metrics/kept_measures.hpp>
#include <host/metrics/metric_request.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

std::unique_ptr<const PictureMetrics> picture_metrics(const PredictRequest& request, const Member& first) {
  if (request.metrics.empty()) {
    if (!request.set.empty()) throw UsageError("--set gives a metric its parameter: name the metric in --metrics");
    return nullptr;
  }
  if (!first.loader->compares())
    throw UsageError("--metrics compares with true masks: say where they are, --masks DIR, or --dataset NAME");
  auto out = std::make_unique<PictureMetrics>();
  out->set = requested_metrics(*first.registry, request.metrics, request.set);
  out->objects =
      "objects of " + std::to_string(request.least_area) + " px, holes of " + std::to_string(request.fill_holes);
  out->kept = metrics_that_cannot_be_kept(out->set).empty();
  return out;
}

std::string PictureMetrics::key(const std::vector<double>& thresholds) const {
  std::vector<double> different = thresholds;
  if (std::equal(thresholds.begin() + 1, thresholds.end(), thresholds.begin())) different.resize(1);
  std::string at;
  for (const double threshold : different) at += (at.empty() ? "" : ", ") + std::to_string(threshold);
  return set.str() + " at " + at + ", " + objects;
}

ObjectOptions objects_at(Reduction reduction, const Kept& kept) {
  const double by = reduction.value() * reduction.value();
  const auto pixels = [&](std::int64_t area) { return std::llround(static_cast<double>(area) / by); };
  ObjectOptions out;
  out.least_area = std::max<std::int64_t>(1, pixels(kept.least_area));
  out.fill_holes = pixels(kept.fill_holes);
  return out;
}

}  // namespace nephron::host
