#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// What `nephron train` was asked for.
struct TrainRequest {
  std::filesystem::path experiment;            ///< empty with `resume`
  std::vector<std::string> overrides;          ///< --set
  std::vector<std::filesystem::path> plugins;  ///< --plugin
  std::string fold = "0";                      ///< a number, or "all"
  std::filesystem::path runs = "runs";
  std::filesystem::path resume;  ///< a run to go on with
  std::filesystem::path from;    ///< a run whose weights a new one begins with
  std::string checkpoint = "last";  ///< of `from`
  std::string device = "auto";
  bool strict = false;  ///< no slide may be lost
  bool debug = false;  ///< one fold, few steps, nothing kept
};

/// Trains, and prints the table of folds on stdout. Returns the program's exit code.
int train(const TrainRequest& request);

}  // namespace nephron::host
