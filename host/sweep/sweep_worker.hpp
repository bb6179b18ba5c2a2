#pragma once

#include <host/sweep/sweep_folder.hpp>
#include <host/util/job_plan.hpp>

namespace nephron::host {

/// How a process's work on a sweep ended.
enum class SweepEnd {
  done,         ///< nothing is left to do
  left,         ///< a job of the queue: others do what is left, and nothing more will come
  later,        ///< a job of the queue: others work, and what they find may give it more to do
  interrupted,  ///< by Ctrl-C; all runs have saved
  stopped,      ///< by `nephron sweep stop`; all runs have saved
  hopeless,     ///< the first trials failed one after another
};

/// Takes tasks of the sweep, and does them in processes of their own, until nothing is left or it is stopped. Any
/// number of processes may do so at a time, on any machine that sees the folder. `queued`: it is a job of a queue,
/// which holds parts of a machine, and does not wait for what others may leave.
SweepEnd work_on_sweep(const SweepFolder& sweep, const JobPlan& plan, bool queued = false);

}  // namespace nephron::host
