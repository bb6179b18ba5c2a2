#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nephron::host {

// Names of runs besides their paths: the short id at the end of a run's folder ("1a2b3c"), the folder's own name,
// NAME@latest and NAME@best. Each may have a fold behind it: "1a2b3c/fold-0".

/// Folders in which runs are looked for by name: those of NEPHRON_RUNS (with ':' between them), else ./runs.
std::vector<std::filesystem::path> run_roots();

/// Whether a text may be such a name at all; only then are folders looked through.
bool may_name_run(const std::string& text);

/// The folder of the run, or of the fold, that `name` stands for; nothing where none is, or the text is no name. Best
/// is the one with the greatest mean over its folds of their best Dice, among the finished ones that trained the most
/// folds. Throws Error where several runs are meant, or none of an experiment that is there.
std::optional<std::filesystem::path> find_run(const std::string& name, const std::vector<std::filesystem::path>& roots);

/// For whoever gave a name that means nothing.
std::string how_runs_are_named();

}  // namespace nephron::host
