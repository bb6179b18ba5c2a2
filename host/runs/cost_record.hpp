#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nephron::host {

/// What one session of a training took of its machine: the process that holds the run and all that it started.
struct SessionCost {
  std::string started;  ///< "2026-01-31T12:00:00+0100"
  double wall_s = 0;    ///< since it began
  double cpu_s = 0;     ///< processor seconds, of the user and of the system
  double gpu_s = 0;     ///< seconds for which a CUDA device was held, of all devices together
  double peak_rss_mb = 0;
  double others_cpu_s = 0;          ///< processor seconds that the machine worked meanwhile for others
  double machine_s = 0;             ///< that it could have worked: its cores times the seconds
  std::optional<bool> gpu_shared;   ///< another process was on a device meanwhile; nothing: not known, or no device
  std::optional<double> energy_wh;  ///< of its devices, where it had them alone
  int ranks = 1;                    ///< processes that trained one model together; figures are of the first one
};

/// Of all sessions of a run.
struct RunCostRecord {
  std::vector<SessionCost> sessions;
  std::optional<double> cpu_s;  ///< nothing where ranks that are not counted took part
  double gpu_s = 0, peak_rss_mb = 0;
  std::optional<double> energy_wh;  ///< nothing where a session has none
  double beside_others = 0;         ///< share of the machine's work that was not ours, 0 to 1
  bool was_beside = false;          ///< so much that the time says less of the run than of its neighbours
};

std::filesystem::path cost_file(const std::filesystem::path& run);

/// Of no sessions where there is no such file: runs of before it was written have none. What processes that share a run
/// leave in the folders of their folds counts with it. Throws Error that names file and place.
RunCostRecord read_cost(const std::filesystem::path& run);

/// Of the one file of a run's folder or a fold's.
std::vector<SessionCost> sessions_in(const std::filesystem::path& folder);

RunCostRecord sum_of(std::vector<SessionCost> sessions);

/// Replaces the file of a run's folder or a fold's. Throws Error.
void write_cost(const std::filesystem::path& run, const std::vector<SessionCost>& sessions);

}  // namespace nephron::host
