#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <host/config/experiment.hpp>
#include <host/cuda/normalise.hpp>
#include <host/feed/batch.hpp>
#include <host/ranks/ranks.hpp>
#include <host/replay/fast_digest.hpp>
#include <host/train/batch_augmentations.hpp>
#include <host/train/gradient_sums.hpp>
#include <host/train/objective.hpp>
#include <host/train/step_graph.hpp>
#include <host/train/train_state.hpp>
#include <host/train/whole_batch.hpp>

namespace nephron::host {

/// What a step is computed with. Everything outlives it.
struct StepParts {
  TrainState& state;
  const Objective& objective;
  const BatchAugmentations* augmentations = nullptr;  ///< none: batches stay as the feed makes them
  const Ranks* ranks = nullptr;                       ///< that make a batch together; none: this process alone
  bool digests = false;                               ///< take_digest() is asked for
  WorkRecorder* recorder = nullptr;                   ///< batches are recorded and replayed; none: each is computed
};

/// One step of the optimiser: gradients of one batch or several, then one update.
class TrainStep {
 public:
  TrainStep(const StepParts& parts, const TrainConfig& train, const DataConfig& data, c10::Device device);
  TrainStep(const TrainStep&) = delete;
  TrainStep& operator=(const TrainStep&) = delete;

  /// Adds the gradients of a batch that counts for `share` of the step. Returns its loss times the share, detached, on
  /// the device. `raw` may be reused then. With several ranks: of this rank's share of the batch, and the loss is that
  /// of all of it.
  /// `last`: update() follows, so that gradients may leave for other ranks while others are still made.
  LossValue add(const RawBatch& raw, const BatchNumber& number, double share = 1, bool last = true);
  /// What the samples were that were added since the last call, those of other ranks too.
  std::vector<std::string> take_ids();
  /// Of the batches that were added since the last call: of this rank's share, as the feed made them and, on a CPU, as
  /// they were mixed.
  std::uint64_t take_digest();
  /// How far the training is, for losses that ask.
  TrainPlace place() const;
  /// Changes the weights by the gradients that were added, and drops those.
  void update(double lr);
  /// What became of the batches that were to be replayed; "" where none were.
  std::string graph_text() const { return graph_ ? graph_->text() : std::string(); }

 private:
  /// With several ranks: the batch of all of them, and its images if samples are mixed.
  BatchTensors tensors_of(const RawBatch& raw, const BatchNumber& number, at::Tensor& own_images) const;
  /// Forward, loss and backward. `images`: of this rank; `share`: a float, undefined for 1.
  BatchLosses gradients(const BatchTensors& batch, const at::Tensor& images, const at::Tensor& share, bool last);
  /// The same by a graph, where it can be.
  BatchLosses recorded_gradients(const BatchTensors& batch, double share, bool last);

  StepParts parts_;
  c10::Device device_;
  std::optional<c10::ScalarType> autocast_;
  bool channels_last_;
  double clip_norm_;
  std::int64_t steps_;               ///< of the whole training
  std::optional<WholeBatch> whole_;  ///< none: this process makes all of it
  std::optional<GradientSums> sums_;
  std::optional<StepGraph> graph_;  ///< none: every batch is computed
  std::vector<std::string> ids_;
  std::optional<FastDigest> digest_;  ///< none: nobody asks for it
  Normalise normalise_;
};

}  // namespace nephron::host
