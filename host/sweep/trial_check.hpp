#pragma once

#include <filesystem>
#include <vector>

#include <host/sweep/trial.hpp>

namespace nephron::host {

/// Lets the computing program check what it alone can (`nephron config check`): networks that can be built, patterns of
/// their parameters, folders of slides. It looks at the files of the first trial and of the first one with each value
/// that is no number. Throws UsageError behind what it printed.
void check_by_computing_program(const std::vector<Trial>& trials, const std::filesystem::path& folder);

/// The numbers of those trials.
std::vector<int> telling_trials(const std::vector<Trial>& trials);

}  // namespace nephron::host
