#pragma once

#include <filesystem>

namespace nephron::host {

/// The next run that this process makes (RunFolder::propose) has this folder: that of a trial, whose name follows from
/// its sweep.
void name_next_run(const std::filesystem::path& folder);

}  // namespace nephron::host
