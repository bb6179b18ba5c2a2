#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <host/runs/status.hpp>

namespace nephron::host {

/// What a run's last session says of the job of Slurm in which it trained.
struct SlurmSession {
  std::string job;                      ///< "12", or "12_1" of an array; empty: in none
  std::optional<std::int64_t> started;  ///< the session, in seconds since 1970
};

struct StatusInSlurm {
  RunStatus status;
  bool has_job = false;  ///< Slurm knows its job still: it may become something else though no file changes
};

/// What a run is at, when Slurm is asked too: one that runs on another machine, of which no lock tells, and one that
/// stands in line there again. Only a run that was handed to Slurm, or that a job there trained last, as those of a
/// sweep do; and about which its own files do not say all.
StatusInSlurm status_with_slurm(RunStatus by_its_files, const std::filesystem::path& run, const SlurmSession& last);

}  // namespace nephron::host
