#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace nephron::host {

/// What training a run took, as far as it wrote that down.
struct RunCost {
  std::optional<double> seconds;  ///< of all folds together; nothing where one is not finished
  std::optional<double> peak_mb;  ///< of the process, the most of all folds
  std::string device, host, processor;
  int folds = 0, finished = 0;
  int sessions = 1;  ///< processes that trained it, one after another
};

/// Throws Error for damaged records. Whether other work ran on the machine meanwhile is recorded nowhere: seconds are
/// told, and rank nothing.
RunCost cost_of(const std::filesystem::path& run);

}  // namespace nephron::host
