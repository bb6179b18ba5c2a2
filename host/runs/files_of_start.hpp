#pragma once

#include <filesystem>

namespace nephron::host {

/// Removes what a training writes into its run's folder before its first fold begins, and nothing else. Nobody holds
/// the run.
void remove_files_of_start(const std::filesystem::path& run);

/// Removes the folder in which a start was killed before it was a run, with what that leaves, and nothing else. False
/// where the folder holds more, and stays.
bool remove_half_run(const std::filesystem::path& run);

}  // namespace nephron::host
