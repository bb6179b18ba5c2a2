#pragma once

#include <vector>

#include <host/queue/host_file.hpp>
#include <host/queue/job.hpp>
#include <host/queue/spool.hpp>
#include <host/util/descriptor.hpp>

namespace nephron::host {

/// What a process does that keeps one job from its start to its end, which outlives the agent: it holds the job's locks
/// as the job itself does, hands SIGTERM on, kills the job with all it started on SIGUSR1, and writes down how it
/// ended. The job dies with it. Called in a process made by fork for that alone.
[[noreturn]] void keep_job(const Spool& spool, const HostFile& host, const Ticket& ticket, const JobState& state,
                           std::vector<Descriptor> locks) noexcept;

/// When this process was started, in ticks since boot; 0: there is none of that number. With its number this names it
/// for good.
std::int64_t born(std::int64_t process);

/// Whether it names a process of that user, and the one that it was: its user may write anything into it.
bool is_keeper(const Begun& begun, uid_t uid);

/// Sends it, but not to another process that has got the number since.
void signal_keeper(const Begun& begun, int number);

}  // namespace nephron::host
