#pragma once

#include <string>

#include <host/queue/host_file.hpp>
#include <host/queue/spool.hpp>

namespace nephron::host {

/// Serves the jobs of this user until none is left: starts what the plan says, stops what yields, puts back in line
/// what was killed. All that it knows lies in the spool, so that another one goes on where it was killed. Returns at
/// once where one is there already.
void run_agent(const Spool& spool, const HostFile& host);

/// Starts one beside this process, where none is there; waits until it is there. Throws Error that says why it is not.
void start_agent(const Spool& spool);

/// How often in a row a job may be killed without having come further between.
inline constexpr int most_kills = 3;

}  // namespace nephron::host
