#pragma once

#include <string>
#include <vector>

#include <host/runs/run.hpp>

namespace nephron::host {

/// The folds of a run that a command line asks for: a number or "all"; "" is the fold that the run was opened at, or
/// all. Throws Error where nothing was trained, UsageError for a fold that is not there.
std::vector<int> chosen_folds(const RunFolder& run, const std::string& asked);

}  // namespace nephron::host
