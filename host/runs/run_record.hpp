#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <host/runs/metrics_log.hpp>

namespace nephron::host {

/// What environment.json of a run says. Of older runs some of it is empty.
struct EnvironmentRecord {
  std::string started, host, device;
  std::vector<int> folds;                                  ///< that the run was started for
  std::vector<std::pair<std::string, std::string>> facts;  ///< all of it, as "versions.torch": text
};

/// Throws Error that names file and place for anything but what environment_json() wrote.
EnvironmentRecord read_environment(const std::filesystem::path& file);

/// The figures of a fold's done.json. Throws Error that names file and place.
MetricsLog::Values read_done(const std::filesystem::path& file);

}  // namespace nephron::host
