#pragma once

#include <host/queue/scene.hpp>

namespace nephron::host {

/// Of a job that the spool has as running, and that no process keeps any more: what becomes of it. `run`: what its run
/// is at by itself, "" where it trains none; `progress`: how far it is.
struct Ended {
  std::optional<End> end;  ///< what its keeper wrote; nothing: that was killed
  bool begun = false;      ///< its keeper was there
  bool run_finished = false;
  std::string progress;
};
JobState after(const Ticket& ticket, JobState state, const Ended& ended, const Moment& now);

/// What the keeper of its last start wrote; nothing where it did not.
std::optional<End> end_of(const UserFolder& folder, const SceneJob& job);

/// The same for a job in the spool: reads, decides, writes, and puts it away where it is over.
void settle_ended(const Spool& spool, SceneJob& job, const Moment& now);

}  // namespace nephron::host
