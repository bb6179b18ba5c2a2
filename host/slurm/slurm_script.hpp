#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nephron::host {

/// The tasks of an array: what they are numbered, and the word of the command that says which one it is.
struct SlurmArray {
  std::vector<int> tasks;
  /// What stands before and behind the number; the command's last one. Nothing: all tasks are the same command.
  std::optional<std::pair<std::string, std::string>> word;
};

/// What sbatch is handed.
struct SlurmJob {
  std::string name;                 ///< that people see
  std::vector<std::string> words;   ///< the command: no shell reads it
  std::optional<SlurmArray> array;  ///< nothing: one job
  bool goes_on = false;  ///< it saves on SIGTERM, ends with 130, and goes on when it is given again: it may be requeued
  std::filesystem::path run;     ///< that it trains; empty: none
  std::filesystem::path place;   ///< of its script and of what it says; empty: RUN/slurm, or a folder of the user's
  std::filesystem::path folder;  ///< in which it runs
  int umask = 022;               ///< of whoever submits it

  std::string gres;               ///< "gpu:1"; empty: none
  std::int64_t gpu_bytes = 0;     ///< that its allocator keeps to, of each GPU; 0: what there is
  int cores = 0;                  ///< 0: what the cluster gives
  std::int64_t memory_bytes = 0;  ///< of the node; 0: what the cluster gives
  std::string partition, time;    ///< empty: what the cluster gives
  bool idle = false;              ///< when nobody else waits
  std::vector<std::string> more;  ///< options of sbatch
  std::string after;              ///< a job whose end it waits for, whatever that came to; empty: none
};

/// What a comment of a job of ours begins with, by which anybody's queue knows it.
inline constexpr const char* slurm_mark = "nephron";

/// The options of sbatch, each one word. `output`: the file that takes what it says, as sbatch wants it.
std::vector<std::string> sbatch_options(const SlurmJob& job, const std::string& output);

/// The script, with those options in it, so that sbatch by hand does the same.
std::string sbatch_script(const SlurmJob& job, const std::string& output);

/// A path for an option in which sbatch fills in numbers.
std::string without_patterns(const std::filesystem::path& path);

}  // namespace nephron::host
