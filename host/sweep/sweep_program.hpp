#pragma once

#include <filesystem>

#include <host/sweep/sweep_folder.hpp>

namespace nephron::host {

/// The program that the queue's jobs of a sweep start: a copy with its plugins, kept when the sweep was first put in
/// line, so that all of its trials are trained by one program however often that is rebuilt. SWEEP/program has the
/// snapshot, and the store of the folder of runs its files. Where none can be kept, which is warned of: "nephron".
/// Throws Error where the copy is damaged or another user's.
std::filesystem::path sweep_program(const SweepFolder& sweep);

}  // namespace nephron::host
