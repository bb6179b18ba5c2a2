#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <host/runs/folder_lock.hpp>
#include <host/sweep/sweep_task.hpp>
#include <host/util/child_process.hpp>

namespace nephron::host {

/// What of the machine a process that trains has to itself.
struct SweepPlace {
  std::string device;
  int threads = 0, cores = 0;  ///< 0: all
};

/// One task and the process that does it (`nephron train`, `nephron validate`). It holds the lock of the run's folder
/// in SWEEP/work while it lives.
class SweepJob {
 public:
  /// `claim`: the lock, which is ours. Throws Error when the process cannot be started.
  SweepJob(const SweepFolder& sweep, SweepTask task, FolderLock claim, std::size_t place, const SweepPlace& means,
           bool goes_on);

  const SweepTask& task() const noexcept { return task_; }
  std::size_t place() const noexcept { return place_; }
  ChildProcess& process() noexcept { return process_; }
  /// Writes into the run's folder, once there is one, which part of the sweep it is.
  void note_part();

  /// Why it failed; empty where it did not, or was interrupted or killed.
  struct Failure {
    std::string error, hint;
  };
  Failure failure() const;
  /// How it was ended from outside; "" where it was not.
  std::string ended_from_outside() const;

 private:
  const SweepFolder& sweep_;
  SweepTask task_;
  FolderLock claim_;
  std::size_t place_;
  bool noted_ = false;
  ChildProcess process_;
};

/// Takes the remains of a start that was killed before it was a run. Throws Error for a folder that holds more.
void clear_half_run(const std::filesystem::path& run);

}  // namespace nephron::host
