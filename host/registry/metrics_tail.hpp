#pragma once

#include <filesystem>
#include <optional>

#include <host/runs/metrics_log.hpp>

namespace nephron::host {

/// The end of a metrics.jsonl, which may be long and is being written.
struct MetricsTail {
  std::optional<std::int64_t> step;              ///< of the last whole line
  std::optional<MetricsLog::Values> last;        ///< of the last line of a single step
  std::optional<MetricsLog::Values> validation;  ///< of the last line that has a Dice, as far as it was looked for
};

/// Reads from the end, a few megabytes at most. A last line without its line break is being written, or was torn by a
/// kill, and is left out. Throws Error that names the file when a line that is looked at is none of MetricsLog.
MetricsTail read_metrics_tail(const std::filesystem::path& file);

}  // namespace nephron::host
