#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include <sys/types.h>

namespace nephron::host {

/// What a process and all that it started use of the machine now.
struct ProcessUse {
  double cpu_seconds = 0;  ///< since they began, with that of processes that ended and were waited for
  double memory_mb = 0;    ///< resident; what they share counts for each
};

/// The processes of this machine at one moment.
class ProcessTable {
 public:
  static ProcessTable now();
  /// Nothing for a process that is not there.
  std::optional<ProcessUse> use_of(pid_t process) const;
  /// These processes and all that they started.
  std::set<pid_t> below(const std::set<pid_t>& processes) const;
  /// Processor seconds of all processes of each user, with those of processes that ended and were waited for.
  std::map<uid_t, double> cpu_by_user() const;

 private:
  struct Process {
    pid_t parent = 0;
    ProcessUse use;
  };
  std::map<pid_t, Process> processes_;
};

/// Nothing where there is no such process.
std::optional<uid_t> owner_of(pid_t process);

/// The process that a run's lock file names, where it was written on this machine.
std::optional<pid_t> holder_of(const std::filesystem::path& run);

}  // namespace nephron::host
