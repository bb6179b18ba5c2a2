#pragma once

#include <string>
#include <vector>

namespace nephron::host {

struct ToolEnd {
  int code = 127;      ///< exit code; 128 and the signal that ended it
  std::string output;  ///< what it wrote on stdout
};

/// Runs a program to its end; it is looked for in PATH. What it says on stderr goes where this program's goes, or
/// nowhere where `quiet`. Throws Error when no process can be made.
ToolEnd run_tool(const std::vector<std::string>& command, const std::string& input = {}, bool quiet = false);

}  // namespace nephron::host
