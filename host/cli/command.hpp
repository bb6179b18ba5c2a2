#pragma once

#include <vector>

#include <CLI/CLI.hpp>

namespace nephron::host {

/// Exit codes of the program.
struct Exit {
  static constexpr int done = 0;
  static constexpr int failed = 1;
  static constexpr int usage = 2;  ///< wrong command line or configuration
  static constexpr int interrupted = 130;
};

/// One subcommand of the program. Each commands_*.cpp defines some and lists them with NEPHRON_COMMAND; main.cpp
/// adds whatever is listed.
struct Command {
  const char* name;
  int order;  ///< place in --help
  /// Adds the subcommand and its options to `app`. The callback that it sets returns through `exit`; it may throw
  /// Error.
  void (*add)(CLI::App& app, int& exit);
};

/// The list that main() walks.
std::vector<Command>& commands();

struct CommandListing {
  explicit CommandListing(Command command) { commands().push_back(command); }
};
#define NEPHRON_COMMAND(name, order, add)                                                                              \
  namespace {                                                                                                          \
  const ::nephron::host::CommandListing listing_##add{{name, order, &add}};                                            \
  }

}  // namespace nephron::host
