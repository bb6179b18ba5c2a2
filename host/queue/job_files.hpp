#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/queue/scene.hpp>

// What the agent and the commands do to jobs of this user; all under the user's lock.
namespace nephron::host {

inline constexpr const char* user_lock = ".lock";

void write_state(const Spool& spool, const SceneJob& job);
UseSum read_own_use(const Spool& spool);

/// Moves a job that has ended to UID/ended, its log too, so that those that are left are few to look through.
void put_away(const Spool& spool, const SceneJob& job);
/// Those that have ended, and that a kill has left where they were.
void put_away_left(const Spool& spool);
/// Puts one that has ended in line again.
void take_back(const Spool& spool, SceneJob job, const Moment& now);
/// This user's jobs that have ended, the latest first, and theirs that a kill has left half moved.
std::vector<SceneJob> ended_jobs(const Spool& spool, std::vector<std::string>& problems);
/// Its output, wherever it lies now; "" where there is none.
std::filesystem::path log_of(const Spool& spool, const std::string& id);

}  // namespace nephron::host
