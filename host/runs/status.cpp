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
    case RunStatus::paused:
      return "paused";
    case RunStatus::killed:
      return "killed";
    case RunStatus::waiting:
      return "waiting";
    case RunStatus::unknown:
      break;
  }
  return "unknown";
}

std::vector<std::string> status_names() {
  std::vector<std::string> out;
  for (int i = 0; i <= static_cast<int>(RunStatus::unknown); ++i) out.emplace_back(name_of(static_cast<RunStatus>(i)));
  return out;
}

namespace {

RunStatus status_after(EndedBy by) {
  if (by == EndedBy::pause) return RunStatus::paused;
  return by == EndedBy::interruption ? RunStatus::interrupted : RunStatus::failed;
}

}  // namespace

RunStatus status_of(const StatusEvidence& evidence, const std::string& here) {
  if (evidence.lock == FolderLock::State::held) return RunStatus::running;
  if (evidence.folds_done) return RunStatus::finished;
  // What an earlier session left says nothing of the last one. Of none, it is what became of its job in the queue.
  if (evidence.ended && evidence.ended->session == evidence.sessions) return status_after(evidence.ended->by);
  if (evidence.sessions == 0) return RunStatus::waiting;
  if (evidence.lock == FolderLock::State::free && evidence.host == here) return RunStatus::killed;
  return RunStatus::unknown;
}

}  // namespace nephron::host
