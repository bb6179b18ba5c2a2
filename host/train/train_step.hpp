#pragma once

#include <cstdint>
#include <optional>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <host/config/experiment.hpp>
#include <host/cuda/normalise.hpp>
#include <host/feed/batch.hpp>
#include <host/train/batch_augmentations.hpp>
#include <host/train/objective.hpp>
#include <host/train/train_state.hpp>

namespace nephron::host {

/// What a step is computed with. Everything outlives it.
struct StepParts {
  TrainState& state;
  const Objective& objective;
  const BatchAugmentations* augmentations = nullptr;  ///< none: batches stay as the feed makes them
};

/// One step of the optimiser: gradients of one batch or several, then one update.
class TrainStep {
 public:
  TrainStep(const StepParts& parts, const TrainConfig& train, const DataConfig& data, c10::Device device);

  /// Adds the gradients of a batch that counts for `share` of the step. Returns its loss times the share, detached, on
  /// the device. `raw` may be reused then.
  LossValue add(const RawBatch& raw, const BatchNumber& number, double share = 1);
  /// How far the training is, for losses that ask.
  TrainPlace place() const;
  /// Changes the weights by the gradients that were added, and drops those.
  void update(double lr);

 private:
  StepParts parts_;
  c10::Device device_;
  std::optional<c10::ScalarType> autocast_;
  bool channels_last_;
  double clip_norm_;
  std::int64_t steps_;  ///< of the whole training
  Normalise normalise_;
};

}  // namespace nephron::host
