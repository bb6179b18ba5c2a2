#pragma once

#include <cstddef>
#include <functional>

#include <c10/core/Device.h>

#include <host/config/experiment.hpp>
#include <host/data/prepared.hpp>
#include <host/plugins/registry.hpp>
#include <host/ranks/ranks.hpp>
#include <host/replay/step_digests.hpp>
#include <host/runs/environment.hpp>
#include <host/runs/run.hpp>
#include <host/train/checkpoint.hpp>

namespace nephron::host {

/// Where a fold stands among those of the command.
struct FoldPlace {
  int number = 0, count = 1;  ///< from 0
  int unfinished_behind = 0;  ///< folds that are still to be trained after it
};

/// What one fold is trained with. Everything outlives the training.
struct FoldJob {
  const Experiment& experiment;
  const Registry& registry;
  const PreparedData& data;
  FoldFolder folder;
  c10::Device device;
  bool resume = false;                 ///< go on from the checkpoint when there is one
  const FoldOrigin* origin = nullptr;  ///< weights that it begins with in place of the experiment's
  /// Called when everything is ready and before anything is written for the fold, with the bytes that it will need.
  std::function<void(std::size_t)> begin;
  FoldPlace place;
  int cores = 0;                 ///< that it may use; 0: all of the machine
  std::int64_t until_epoch = 0;  ///< epochs that are done when it pauses; 0: it goes on to its end
  const Ranks* ranks = nullptr;  ///< that train it together, and the first writes; none: this process alone
  /// Is told of the steps in place of digests.jsonl, which is not written then; none: the file is.
  StepWatch* watch = nullptr;
  bool writes() const { return ranks == nullptr || ranks->first(); }
};

struct FoldResult {
  TrainProgress progress;
  bool finished = false;   ///< false: interrupted or paused, and saved
  bool paused = false;     ///< at the epoch that it was to stop at
  double tiles_per_s = 0;  ///< of the training steps of this process
  double waited = 0;       ///< share of their time spent waiting for data
};

}  // namespace nephron::host
