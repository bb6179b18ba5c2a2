#pragma once

#include <string>
#include <vector>

namespace nephron::host {

/// What a program of Slurm said and how it ended.
struct SlurmAnswer {
  int code = 0;  ///< 127: there is no such program; 128 and the signal that ended it; -1: it did not answer in time
  std::string output;
  std::string complaint;  ///< what it wrote on stderr, in one line

  bool good() const noexcept { return code == 0; }
};

/// Runs sbatch, squeue, scontrol or scancel to its end, without those variables of this program's environment that
/// would lead it astray. `patience`: seconds until it is given up. Throws Cancelled after Ctrl-C.
SlurmAnswer run_slurm(const std::vector<std::string>& command, double patience);

/// Whether Slurm's programs are in PATH.
bool slurm_is_here();

/// The variables of this environment that neither Slurm's programs nor the job are to have: those of the terminal;
/// those of a job in which this program itself runs; and those that change what Slurm's programs do or print. Where the
/// cluster is, and what a user has chosen for all jobs (SBATCH_ACCOUNT, ...), stays.
std::vector<std::string> variables_kept_from_slurm();

}  // namespace nephron::host
