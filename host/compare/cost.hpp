#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nephron::host {

/// What training a run took, as far as it wrote that down.
struct RunCost {
  std::optional<double> seconds;  ///< of all folds together; nothing where one is not finished
  std::optional<double> peak_mb;  ///< of the process, the most of all folds
  // Of all sessions, where they were written down and every fold is finished.
  std::optional<double> cpu_seconds, gpu_seconds, energy_wh;
  std::optional<double> beside_others;  ///< share of the machine's work that was not the run's
  bool was_beside = false;              ///< so much that its time says little of the run
  std::string device, host, processor;
  int folds = 0, finished = 0;
  int sessions = 1;  ///< processes that trained it, one after another

  /// Whether its seconds may rank it: it is known that it had the machine to itself.
  bool time_counts() const noexcept { return seconds && beside_others && !was_beside; }
};

/// Throws Error for damaged records.
RunCost cost_of(const std::filesystem::path& run);

/// Of runs that trained one thing's folds: their sums. What one did not write down is not known of all.
RunCost cost_of_all(const std::vector<std::filesystem::path>& runs);

}  // namespace nephron::host
