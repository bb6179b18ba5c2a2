#pragma once

#include <filesystem>
#include <string>

namespace nephron::host {

/// What `nephron bench-metrics` measures: two square masks (raw bytes, one a pixel) compared. Bytes of `found` are 255
/// times the probability.
struct BenchMetricsRequest {
  std::filesystem::path truth;
  std::filesystem::path found;
  std::int64_t least_area = 100;
  int repeats = 3;
};

/// One line of JSON with the keys of the Python peer: the fastest of the repeats. Throws Error.
std::string bench_metrics(const BenchMetricsRequest& request);

}  // namespace nephron::host
