#include <host/runs/status.hpp>

namespace nephron::host {

const char* name_of(RunStatus status) {
  switch (status) {
    case RunStatus::running:
      return "running";
    case RunStatus::finished:
      return "finished";
    case RunStatus::failed:
      return "failed";
    case RunStatus::interrupted:
      return "interrupted";
    case RunStatus::killed:
      return "killed";
    case RunStatus::waiting:
      return "waiting";
    case RunStatus::unknown:
      break;
  }
  return "unknown";
}

RunStatus status_of(const StatusEvidence& evidence, const std::string& here) {
  if (evidence.lock == FolderLock::State::held) return RunStatus::running;
  if (evidence.folds_done) return RunStatus::finished;
  if (evidence.sessions == 0) return RunStatus::waiting;
  // What an earlier session left says nothing of the last one.
  if (evidence.ended && evidence.ended->session == evidence.sessions)
    return evidence.ended->interrupted ? RunStatus::interrupted : RunStatus::failed;
  if (evidence.lock == FolderLock::State::free && evidence.host == here) return RunStatus::killed;
  return RunStatus::unknown;
}

}  // namespace nephron::host
