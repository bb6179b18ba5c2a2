#pragma once

#include <filesystem>

namespace nephron::host {

/// Removes what a training writes into its run's folder before its first fold begins, and nothing else. Nobody holds
/// the run.
void remove_files_of_start(const std::filesystem::path& run);

}  // namespace nephron::host
