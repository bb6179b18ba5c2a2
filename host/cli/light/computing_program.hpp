#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/cli/program.hpp>

namespace nephron::host {

/// libexec/nephron-compute of the tree that this program stands in: it has the commands that need LibTorch.
class ComputingProgram {
 public:
  ComputingProgram();

  /// Those that its build wrote down beside it. Throws Error where that is not there.
  std::vector<ListedCommand> commands() const;
  /// LibTorch comes with this tree or, as in a bundle, is looked for by a launcher, which has commands of its own.
  bool has_launcher() const;
  /// Goes on as it: the same process, arguments, environment and terminal. Comes back only by throwing Error.
  [[noreturn]] void become(char** argv) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace nephron::host
