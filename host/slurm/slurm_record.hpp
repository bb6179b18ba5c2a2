#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nephron::host {

/// A job that was handed to Slurm, as a file of its run and one of its user's data folder tell of it. Slurm itself
/// forgets a job minutes after its end.
struct SlurmRecord {
  std::string job;                   ///< its number, or that of the array
  std::vector<int> tasks;            ///< of an array; empty: one job
  std::string then;                  ///< a job that waits for its end; empty: none
  std::string name;                  ///< that people see
  std::filesystem::path run;         ///< that it trains; empty: none
  std::filesystem::path place;       ///< folder of its script, and of what it says
  std::vector<std::string> command;  ///< what runs, for people
  bool goes_on = false;              ///< it may be stopped and go on
  std::string submitted;             ///< "2026-01-31T12:00:00+0100"

  /// What a task has said; `task`: nothing: of one job.
  std::filesystem::path log(std::optional<int> task) const;
};

/// RUN/slurm.json.
std::filesystem::path slurm_file(const std::filesystem::path& run);
/// The last job that the run was handed over as; nothing where it never was. Throws Error that names file and place.
std::optional<SlurmRecord> read_slurm_record(const std::filesystem::path& run);

/// Where scripts and output of jobs lie that have no run, and a record of each job.
std::filesystem::path own_slurm_folder();

/// Whether this user has handed anything to Slurm that is still remembered.
bool has_records();

/// Writes both. Of the user's own the last 2,000 stay. Throws Error.
void keep_record(const SlurmRecord& record);

/// The user's own record of a job by its number, or by the id of its run. Nothing where there is none, or a damaged
/// one.
std::optional<SlurmRecord> find_record(const std::string& job_or_run);

}  // namespace nephron::host
