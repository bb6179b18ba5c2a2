#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace nephron::host {

/// One line of the table that `plugins check` prints.
struct CheckRow {
  std::string component;  ///< "loss focal"; empty for the file as a whole
  std::string check;
  std::string outcome;  ///< "passed", "failed", "skipped"
  std::string detail;   ///< what was found in place of what was expected, or why it was skipped
  double seconds = 0;
};

struct CheckOptions {
  double patience = 120;                     ///< seconds a check may take
  std::vector<std::string> overrides;        ///< "root=...", or of one component alone: "my-dataset.root=..."
  std::vector<std::string> classes;          ///< of the experiment that datasets are asked for; empty: two made-up ones
  std::vector<std::filesystem::path> files;  ///< that a reader can open
  std::vector<std::filesystem::path> plugins;  ///< that are found besides: readers of a dataset's slides
  std::string component;                       ///< check only this one; empty: all of the file
};

/// Checks a plugin file. Every component runs in a child process; a crash, a hang or an exit fails the check that was
/// running, and the others go on in a new child. `on_row` is called as rows come. Throws Error only when checking
/// itself cannot be done, and UsageError before the first row for options that fit no component of the file.
std::vector<CheckRow> check_plugin(const std::filesystem::path& file, const CheckOptions& options,
                                   const std::function<void(const CheckRow&)>& on_row);

/// The arguments of one child, beside the program.
struct CheckChild {
  /// What it is started for: all the checks, or one thing alone.
  static constexpr const char* parameters_task = "parameters";  ///< what the component says of `overrides`
  static constexpr const char* trace_task = "trace";            ///< conformance::trace_of()
  std::string only;                                             ///< one of these; empty: the checks
  std::filesystem::path file;
  std::string kind;
  std::string name;
  std::vector<std::string> overrides;  ///< of this component
  std::vector<std::string> classes;
  std::vector<std::filesystem::path> files;
  std::vector<std::filesystem::path> plugins;
  std::vector<std::string> skip;  ///< checks that earlier children made
  std::string cuda;               ///< "cuda:0" or ""
  std::string no_cuda_because;
};

/// The child's part: makes the checks and reports each before and after; or its one task. Does not return.
[[noreturn]] void check_in_child(const CheckChild& what);

}  // namespace nephron::host
