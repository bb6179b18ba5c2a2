#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <host/registry/run_reader.hpp>

// What the index remembers of folders and runs, and how it looks at one again.
namespace nephron::host {

std::int64_t now_in_ns();
std::int64_t mtime_in_ns(const struct stat& info);

/// When something was last changed, and when it was looked at.
struct Times {
  std::int64_t mtime = 0, looked = 0;
  /// Nothing can have changed unseen. A time ahead of the clock says nothing of when.
  bool still(std::int64_t mtime_now) const;
};

struct KnownFolder {
  std::int64_t number = 0;
  std::filesystem::path path;
  Times times;
  std::int64_t parent = 0;
};

/// Whether a run may change without a change of its folder's time.
enum class Rest {
  none = 0,      ///< it runs, waits, or nobody knows
  finished = 1,  ///< no
  stopped = 2,   ///< when a process takes its lock to go on
};

struct KnownRun {
  std::int64_t number = 0, folder = 0;
  std::string name;
  bool is_run = false;
  Rest settled = Rest::none;
  Times times;
  std::int64_t validation = 0;
};

/// A run that has to be looked at, and what the look came to.
struct Look {
  std::int64_t folder = 0;
  std::filesystem::path path;
  KnownRun before;     ///< number 0: none
  std::string stamps;  ///< of then

  KnownRun after;
  std::string stamps_now;
  std::vector<std::pair<int, SourceFacts>> sources;  ///< those that changed
  Facts state;                                       ///< empty when the index says the same
};

/// Number of the pseudo source of what is no file's: status, id, path.
constexpr int source_state = static_cast<int>(fact_sources.size());

/// Reads what has changed of one run. Only what is in `look`, so that several may be read at a time.
void read_run(Look& look);

/// The folders in a folder, whose names do not begin with a dot.
std::vector<std::string> folders_in(const std::filesystem::path& folder);

}  // namespace nephron::host
