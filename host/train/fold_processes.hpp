#pragma once

#include <map>
#include <string>
#include <vector>

#include <host/train/results.hpp>
#include <host/train/session.hpp>
#include <host/train/start.hpp>

namespace nephron::host {

/// How the folds of a command are spread: a place for each process that runs at a time.
struct JobPlan {
  std::vector<std::string> devices;  ///< of each place, as parse_device() takes them

  static JobPlan of(const TrainRequest& request);
  bool several() const noexcept { return devices.size() > 1; }
  /// The same with no more places than folds: an idle one would take its share of the cores.
  JobPlan for_folds(std::size_t folds) const;
  /// Most places that share one device.
  int together() const;
  /// Threads of each process, from train.threads: an equal share of the cores where it says nothing, and neither does
  /// OMP_NUM_THREADS; 0: what LibTorch takes by itself.
  int threads(int of_experiment) const;
  int cores() const;  ///< of each process
  /// "--jobs 2": what asks for the same again.
  std::string option() const;
  bool by_device = false;  ///< they were named
};

struct FoldsOutcome {
  FoldResults results;                  ///< by fold; of the interrupted ones too
  std::map<int, std::string> failures;  ///< why a fold has no result
};

/// Trains the folds of a session that has begun, each in a process of its own; the session keeps the run's lock. Of
/// folds that are finished the figures are read. Ctrl-C reaches all processes once, and each saves. Where a fold fails,
/// those that run go on to their end, and no other is begun.
FoldsOutcome train_in_processes(const Session& session, const TrainRequest& request, const JobPlan& plan);

}  // namespace nephron::host
