#pragma once

#include <filesystem>

#include <host/runs/status.hpp>

namespace nephron::host {

/// What a run is at, when Slurm is asked too: one that runs on another machine, of which no lock tells, and one that
/// stands in line there again. Only a run that was handed to Slurm, and about which its own files do not say all.
RunStatus status_with_slurm(RunStatus by_its_files, const std::filesystem::path& run);

}  // namespace nephron::host
