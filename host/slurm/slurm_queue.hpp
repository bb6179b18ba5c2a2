#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nephron::host {

/// A job that has not ended, or a task of an array, as squeue tells of it.
struct SlurmTask {
  std::string job;          ///< its number, or that of the array
  std::optional<int> task;  ///< of an array
  std::string state;        ///< "PENDING", "RUNNING", "COMPLETING", ...
  std::string reason;       ///< why it waits: "Resources", "Priority", "JobHeldUser", ...
  std::string user, partition, name, comment;
  int cores = 0;
  std::string gres;                     ///< "gres:gpu:1"; empty: none
  double submitted = 0;                 ///< seconds since 1970
  std::optional<double> started, ends;  ///< began, or is expected to begin; when its time is over

  std::string id() const { return job + (task ? "_" + std::to_string(*task) : ""); }
  bool waits() const;
  bool is_held() const;
  bool runs() const;
  /// One that nephron handed over; of a training the run.
  bool is_ours() const;
  std::filesystem::path run() const;
};

/// All jobs of the cluster that have not ended.
struct SlurmQueue {
  std::vector<SlurmTask> tasks;
  std::string problem;  ///< why they are not known; empty: they are

  /// Those of one job; `task`: of one of an array.
  std::vector<SlurmTask> of(const std::string& job, std::optional<int> task = {}) const;
};

/// Asks squeue; nothing where there is no Slurm: none of its programs, or no sign of a cluster.
std::optional<SlurmQueue> ask_slurm();

/// The same, asked at most once a second by this process, of any thread: of one look at many runs. Null: no Slurm.
std::shared_ptr<const SlurmQueue> slurm_just_now();

/// What squeue printed for our format; for tests.
std::vector<SlurmTask> tasks_in(const std::string& output);

}  // namespace nephron::host
