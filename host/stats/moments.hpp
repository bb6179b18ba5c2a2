#pragma once

#include <cmath>
#include <numeric>
#include <span>

namespace nephron::host {

inline double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// With n - 1 below; 0 for a single value.
inline double variance_of(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return sum / static_cast<double>(values.size() - 1);
}

inline double deviation_of(std::span<const double> values) { return std::sqrt(variance_of(values)); }

}  // namespace nephron::host
