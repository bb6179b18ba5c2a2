#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <host/runs/ended.hpp>
#include <host/runs/folder_lock.hpp>

namespace nephron::host {

/// What a run is at.
enum class RunStatus {
  running,      ///< a process holds its lock
  finished,     ///< every fold that it was started for is done
  failed,       ///< its last session ended by an error
  interrupted,  ///< by Ctrl-C or SIGTERM
  paused,       ///< at the epoch that its last session was to stop at
  killed,       ///< its last session was on this machine and is gone without a word
  waiting,      ///< made, and no session has begun, nor has the queue given it up
  unknown,      ///< its last session was on another machine, or nothing is known of its lock
};

const char* name_of(RunStatus status);
/// Of all of them.
std::vector<std::string> status_names();

/// What the status follows from. No process is asked for: numbers of processes come again, and those of another
/// machine mean nothing here.
struct StatusEvidence {
  FolderLock::State lock = FolderLock::State::unknown;
  bool folds_done = false;               ///< all that the run was started for
  std::optional<std::int64_t> sessions;  ///< nothing: a run of before they were written down, or a damaged record
  std::string host;                      ///< of the last session
  std::optional<SessionEnd> ended;
};

/// `here`: this machine's name.
RunStatus status_of(const StatusEvidence& evidence, const std::string& here);

}  // namespace nephron::host
