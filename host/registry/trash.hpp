#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/registry/run_index.hpp>

namespace nephron::host {

/// Runs that were put aside: ROOT/.trash/EXPERIMENT/RUN. They are on the same disk, so moving is one step.
std::filesystem::path trash_of(const std::filesystem::path& root);

/// Moves a run there. Throws Error, and moves nothing, when a process holds it, when another run began with its weights
/// (`index` says so), when a sweep's result stands on it and not `anyway`, and when it is no run. Gives back where it
/// is now.
std::filesystem::path move_to_trash(const std::filesystem::path& run, const RunIndex& index, bool anyway = false);

/// Runs in the trash of `roots`.
std::vector<std::filesystem::path> runs_in_trash(const std::vector<std::filesystem::path>& roots);

/// Moves a run back to where it was. `name`: its path there, its folder's name or its id. Throws Error where there is
/// none, several, or its place is taken.
std::filesystem::path restore(const std::string& name, const std::vector<std::filesystem::path>& roots);

}  // namespace nephron::host
