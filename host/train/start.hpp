#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include <c10/core/Device.h>

#include <host/config/experiment.hpp>
#include <host/cost/cost_meter.hpp>
#include <host/data/splits.hpp>
#include <host/plugins/registry.hpp>
#include <host/runs/ended.hpp>
#include <host/runs/environment.hpp>
#include <host/runs/run.hpp>
#include <host/train/run_lock.hpp>
#include <host/train/session.hpp>

namespace nephron::host {

/// A run that begins or goes on: everything about it that is known before its slides are read. Nothing is written
/// before begin().
class Session {
 public:
  /// A new run in the folder `runs`. Throws Error and ConfigError.
  static Session start(const TrainRequest& request, const std::filesystem::path& runs, const c10::Device& device);
  /// The run that request.resume names; locked from here on, and refused where a key would change its results. A
  /// FoldWorker's is locked by its parent.
  static Session go_on(const TrainRequest& request, const c10::Device& device);

  /// Call it when all that can be wrong was found right, before anything is written for a fold: the first call makes
  /// the run's folder, or notes that the run goes on. `bytes`: space that the fold needs.
  void begin(std::size_t bytes);
  bool begun() const noexcept { return begun_; }
  /// Makes the folder of a new run for another process, which begins with --resume.
  void leave_waiting();
  /// Takes a run back in which no fold was begun; false where one was, or where the run is an older one.
  bool forget();
  /// Leaves a record of how it ended without finishing the run, for those who look at the run later; `error`: what
  /// ended it. Nothing where the run is another process's, or was not begun.
  void note_end(EndedBy by, const std::exception* error = nullptr) const;
  /// The same of one that did what it was to do: nothing is left of it.
  void note_done() const;

  const Experiment& experiment() const noexcept { return experiment_; }
  const Registry& registry() const noexcept { return *registry_; }
  const Listing& listing() const noexcept { return *listing_; }
  const Splits& splits() const noexcept { return splits_; }
  const RunFolder& run() const noexcept { return run_; }
  const std::vector<int>& folds() const noexcept { return folds_; }
  bool resumes() const noexcept { return resumes_; }
  /// Weights of another run that this fold begins with; null when there are none.
  const FoldOrigin* origin(int fold) const;

 private:
  Session() = default;
  void make_run();
  void write_run() const;
  /// Where its log and its cost are kept: those of processes that share a run are each its fold's.
  std::filesystem::path own_folder() const { return shares_ ? run_.fold(folds_.front()).folder : run_.folder(); }
  void remove_run();
  /// It speaks for the whole run, which is on disk.
  bool tells_of_run() const;

  Experiment experiment_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Listing> listing_;
  Splits splits_;
  RunFolder run_;
  std::vector<int> folds_;
  std::vector<FoldOrigin> from_;
  SessionFacts facts_;
  std::vector<PluginChange> changes_;
  std::optional<RunLock> lock_;
  std::unique_ptr<CostMeter> cost_;  ///< of the process that holds the run
  bool resumes_ = false, begun_ = false;
  bool keeps_snapshot_ = true;  ///< false: nothing of it is kept
  bool worker_ = false;         ///< another process holds the run, and speaks of it
  bool shares_ = false;         ///< other processes train other folds of it
  bool writes_ = true;          ///< false: another rank keeps the run
};

}  // namespace nephron::host
