#pragma once

#include <string>
#include <vector>

namespace nephron::host {

/// A command as --help lists it.
struct ListedCommand {
  std::string name;
  int order = 0;
  std::string doc;
  bool shown = true;  ///< false: for developers
};

/// Parses the command line against the commands that this program is linked with (NEPHRON_COMMAND), runs the one that
/// is named, and returns the exit code. `elsewhere`: commands of another program, which --help and suggestions name
/// among our own.
int run_program(int argc, char** argv, const std::vector<ListedCommand>& elsewhere = {});

}  // namespace nephron::host
