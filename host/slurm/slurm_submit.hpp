#pragma once

#include <host/slurm/slurm_record.hpp>
#include <host/slurm/slurm_script.hpp>

namespace nephron::host {

/// Throws Error where Slurm's programs are not there: before anything is made for a job.
void require_slurm();

/// "gpu:1" where some node of the partition (all: "") has GPUs, else "".
std::string usual_gres(const std::string& partition);

/// Writes the script, into RUN/slurm or the user's own folder, hands it to sbatch, and keeps a record. Throws Error
/// with what sbatch said; then Slurm has no job, and no script is left.
SlurmRecord hand_to_slurm(const SlurmJob& job);

/// What was handed over and is over, once more by its script, which has all options in it; `task`: one of the array
/// alone. Throws UsageError where the script is gone, Error with what sbatch said.
SlurmRecord hand_to_slurm_again(SlurmRecord record, std::optional<int> task);

/// A job that waits for this one, of one task, which is told in the record.
SlurmRecord hand_to_slurm_after(SlurmRecord record, SlurmJob job);

}  // namespace nephron::host
