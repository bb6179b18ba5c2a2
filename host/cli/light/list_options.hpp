#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <host/cli/light/runs_options.hpp>
#include <host/registry/run_index.hpp>
#include <host/registry/run_table.hpp>

namespace nephron::host {

/// Which runs are listed, with which columns, in which order: of all commands that list runs.
struct ListOptions {
  RunsOptions runs;
  std::vector<std::string> filter, columns, sort, group_by;
  bool descending = false, json = false, csv = false;
  std::size_t most = 0;

  void add_filter_to(CLI::App& command);  ///< FILTER, --columns, --sort, --desc, -n, --runs
  void add_output_to(CLI::App& command);  ///< --json, --csv
  std::string filter_text() const;
  /// The newest run comes first where no order was asked for.
  ListRequest request(const RunIndex& index) const;
};

/// Those of `wanted` that some run has.
std::vector<std::string> known_of(const std::vector<std::string>& wanted, const std::vector<std::string>& known);

/// What was asked for by --columns. "*": all; "+a,b": these besides the usual ones.
std::vector<std::string> columns_of(std::vector<std::string> asked, const std::vector<std::string>& known);

/// Where no run matches: in which folders, out of how many.
std::string nothing_found(const ListOptions& options, const RunIndex& index);

/// One line a run that is damaged; of many the first.
void warn_of(const std::vector<RunProblem>& problems);

}  // namespace nephron::host
