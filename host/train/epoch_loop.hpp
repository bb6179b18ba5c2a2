#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include <c10/core/Device.h>

#include <host/config/experiment.hpp>
#include <host/feed/feed.hpp>
#include <host/train/component_metrics.hpp>
#include <host/train/schedule.hpp>
#include <host/train/step_log.hpp>
#include <host/train/train_step.hpp>

namespace nephron::host {

/// What an epoch is made of, and what it calls. Everything outlives it.
struct EpochParts {
  TrainState& state;
  TrainStep& step;
  Feed& feed;
  StepLog& log;
  ComponentMetrics& told;
  std::function<void(bool all)> check_losses;  ///< throws when a loss that was read back is no number
  std::function<void()> keep;                  ///< writes a checkpoint
  const Ranks* ranks = nullptr;                ///< that train together; none: this process alone
  StepWatch* watch = nullptr;                  ///< is told of the tensors after every 50th step; none: nobody is
};

/// Takes an epoch's batches from the feed and makes steps of them, each a function of (seed, fold, step) alone.
class EpochLoop {
 public:
  EpochLoop(EpochParts parts, const Experiment& experiment, int fold, c10::Device device);
  /// The steps that the epoch still has, or those until Ctrl-C. A checkpoint is kept every checkpoint_minutes.
  void run();
  /// Whether all of them are done.
  bool complete() const { return parts_.state.progress.step_in_epoch == counts_.epoch; }
  /// A checkpoint was kept: the next is due checkpoint_minutes from now.
  void kept() { kept_ = std::chrono::steady_clock::now(); }

 private:
  void step();

  EpochParts parts_;
  const TrainConfig& config_;
  StepCounts counts_;
  std::uint64_t seed_, fold_;
  c10::Device device_;
  std::chrono::steady_clock::time_point kept_ = std::chrono::steady_clock::now();
};

}  // namespace nephron::host
