#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <host/runs/run.hpp>
#include <host/runs/run_name.hpp>
#include <host/util/printable.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

/// What every command of `nephron runs` takes: where the runs are.
struct RunsOptions {
  std::vector<std::filesystem::path> named;

  void add_to(CLI::App& command) {
    command
        .add_option("--runs", named,
                    "A folder of runs; may be repeated. Default: the folders of NEPHRON_RUNS, else ./runs")
        ->type_name("DIR")
        ->allow_extra_args(false);
  }
  /// Throws UsageError for a folder of --runs that is not there.
  std::vector<std::filesystem::path> roots() const {
    std::error_code no;
    for (const std::filesystem::path& folder : named)
      if (!std::filesystem::is_directory(folder, no))
        throw UsageError("--runs " + printable_name(folder.string()) + ": there is no such folder");
    return named.empty() ? run_roots() : named;
  }

  /// The run that a person named by path, id or NAME@latest. Throws Error.
  std::filesystem::path run(const std::string& name) const {
    std::error_code no;
    if (!std::filesystem::exists(name, no))
      if (const auto found = find_run(name, roots())) return RunFolder::open(*found).folder();
    return RunFolder::open(name).folder();
  }
};

}  // namespace nephron::host
