#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <host/queue/host_file.hpp>
#include <host/queue/job.hpp>
#include <host/queue/plan.hpp>
#include <host/queue/spool.hpp>

namespace nephron::host {

struct SceneJob {
  uid_t uid = 0;
  std::string user;
  Ticket ticket;
  JobState state;
  bool kept = false;           ///< a process holds its lock
  std::optional<Begun> begun;  ///< of its last start
  std::string name() const { return ticket.id + " of " + user; }
};

/// What the spool and the locks say at one moment.
struct Scene {
  Moment now;
  std::vector<SceneJob> jobs;         ///< all that have not ended
  std::map<uid_t, bool> agents;       ///< whether the user's agent is there and well
  std::map<std::string, double> use;  ///< GPU-seconds by user, decayed to now
  Parts held;                         ///< by whomever
  Parts outside;                      ///< used outside of the queue
  std::vector<std::string> problems;  ///< files that are left out, a line each
};

/// Looks at everything, and changes nothing but lock files that are missing.
Scene look(const Spool& spool, const HostFile& host);

/// Processes that keep a job: what is below them is the queue's. One that is not its user's own keeps nothing.
std::set<pid_t> keepers_of(const Scene& scene);

/// Jobs of the scene as the plan sees them; `index`: which job of the scene each one is. Jobs of users without an agent
/// wait in vain, and are not in the way of others: only `own` is taken to have one soon.
PlanInput plan_input(const Scene& scene, const HostFile& host, uid_t own, std::vector<std::size_t>& index);

/// Seconds until one that had nothing to do is in line again; nothing: it does not rest.
std::optional<double> rest_left(const SceneJob& job, const HostFile& host, const Moment& now);

/// Whether it was told to end minutes ago, and runs on.
bool is_deaf(const SceneJob& job, const Moment& now);

/// One job of a user's folder. Throws Error that names what is wrong.
SceneJob read_job(const UserFolder& folder, const std::string& id);

inline constexpr const char* agent_lock = "agent.lock";
inline constexpr const char* agent_beat = "agent.json";

}  // namespace nephron::host
