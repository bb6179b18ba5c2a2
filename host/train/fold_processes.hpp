#pragma once

#include <map>
#include <string>
#include <vector>

#include <host/train/results.hpp>
#include <host/train/session.hpp>
#include <host/train/start.hpp>
#include <host/util/job_plan.hpp>

namespace nephron::host {

struct FoldsOutcome {
  FoldResults results;                  ///< by fold; of the interrupted ones too
  std::map<int, std::string> failures;  ///< why a fold has no result
};

/// Trains the folds of a session that has begun, each in a process of its own; the session keeps the run's lock. Of
/// folds that are finished the figures are read. Ctrl-C reaches all processes once, and each saves. Where a fold fails,
/// those that run go on to their end, and no other is begun.
FoldsOutcome train_in_processes(const Session& session, const TrainRequest& request, const JobPlan& plan);

}  // namespace nephron::host
