#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nephron::host {

/// How a child process ended.
struct ChildEnd {
  int code = 0;         ///< exit code, when it ended by itself
  int signal = 0;       ///< signal that killed it, or 0
  bool silent = false;  ///< it was stopped because it reported nothing for too long
  double patience = 0;  ///< seconds that it was given between two reports
  std::string output;   ///< the end of what it wrote on stdout and stderr

  /// "it was killed by signal 11 (Segmentation fault)": how it ended, with the last words of its output.
  std::string text() const;
};

/// File descriptor on which a child reports to its parent; stdout and stderr belong to the plugin.
inline constexpr int report_descriptor = 3;

/// Runs a command with its stdin closed and its own process group, and hands on what it writes on
/// `report_descriptor` as it comes. Stops it after `patience` seconds without a report (a minute at least
/// for the first one), and when this program is interrupted (throws Cancelled). Throws Error when the command cannot be
/// started.
ChildEnd run_child(const std::vector<std::string>& command, double patience,
                   const std::function<void(std::string_view)>& on_report);

/// For a child of run_child(), first of all: no core dumps, it dies with its parent, and its parent says what of.
void enter_child();

}  // namespace nephron::host
