#pragma once

#include <optional>
#include <string>

#include <host/slurm/slurm_record.hpp>

// What a person does with a job of Slurm, by "slurm:123", "slurm:123_4" for a task of an array, or the id of a run that
// was handed over. Each returns what it came to, one line; all throw UsageError for what cannot be, and Error with
// Slurm's own words.
namespace nephron::host {

/// What an id says.
struct SlurmId {
  std::string job;          ///< a number
  std::optional<int> task;  ///< of an array; nothing: all of it
  std::optional<SlurmRecord> record;

  std::string number() const { return job + (task ? "_" + std::to_string(*task) : ""); }
  std::string text() const { return "slurm:" + number(); }
};

/// Nothing where it is no job of Slurm, as far as its form and one's own records tell. Throws UsageError for what
/// begins with "slurm:" and is none.
std::optional<SlurmId> slurm_id(const std::string& text);

std::string cancel_in_slurm(const SlurmId& id);
std::string hold_in_slurm(const SlurmId& id);
/// What is held is in line again; what is over, and was no success, is handed over once more.
std::string release_in_slurm(const SlurmId& id);

/// Prints what it has said; with `follow`, of one job or task, until it ends or this program is interrupted. Returns
/// its exit code where it has ended and Slurm still knows it.
std::optional<int> show_slurm_log(const SlurmId& id, bool follow);

}  // namespace nephron::host
