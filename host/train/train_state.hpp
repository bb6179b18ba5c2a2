#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <c10/core/Device.h>

#include <host/config/experiment.hpp>
#include <host/model/model.hpp>
#include <host/train/averaged_weights.hpp>
#include <host/train/checkpoint.hpp>
#include <host/train/freezing.hpp>
#include <host/train/hard_examples.hpp>
#include <host/train/optimizer.hpp>

namespace nephron::host {

/// All that changes while a fold is trained, and comes back after a break: weights, their averages, moments, the scale
/// of the loss, hard examples, progress. What is added later has to have a default, so that older checkpoints stay
/// readable.
class TrainState {
 public:
  /// `model` lies on the device already, as it will be trained. Throws Error for patterns of its parameters that name
  /// nothing.
  TrainState(std::shared_ptr<SegmentationModel> model, const TrainConfig& config, c10::Device device);

  SegmentationModel& model() const noexcept { return *model_; }
  Optimizer& optimizer() noexcept { return optimizer_; }
  std::optional<LossScaler>& scaler() noexcept { return scaler_; }
  TrainProgress progress;

  /// Puts the network into the mode that the epoch of `progress` is trained in: what is frozen is not trained.
  void enter_epoch();
  /// The weights were updated by a step.
  void note_step();
  /// The steps of the epoch of `progress` are done. True where averaged weights need statistics of normalisations anew;
  /// does no harm twice.
  bool note_epoch();
  /// The averaged weights; null as long as there are none.
  AveragedWeights* average() noexcept { return average_ && progress.averaged > 0 ? &*average_ : nullptr; }
  /// Windows that come again; null when none do.
  HardExamples* hard_examples() noexcept { return hard_examples_ ? &*hard_examples_ : nullptr; }
  /// Parameters that are updated alike.
  const std::vector<ParameterGroup>& groups() const noexcept { return groups_; }

  /// All that a checkpoint holds, by names that say what it is: "weights.NAME", "exp_avg.NAME", "average.NAME".
  TensorMap all_tensors() const;
  /// Bytes that one checkpoint takes, about.
  std::size_t bytes() const;
  /// Goes back to the last checkpoint of `fold`. Throws as load_checkpoint().
  void load(const FoldFolder& fold, const TrainLengths& lengths);
  void save(const FoldFolder& fold, bool best) const;
  /// Beside the checkpoints, to be looked at; returns its folder.
  std::filesystem::path save_aside(const FoldFolder& fold, const std::string& name) const;

 private:
  /// All but the weights and their averages.
  TensorMap tensors() const;
  TensorMap averaged() const;

  bool averages() const noexcept { return average_ && progress.epoch >= average_start_; }

  std::shared_ptr<SegmentationModel> model_;
  std::vector<ParameterGroup> groups_;
  Optimizer optimizer_;
  Freezing freezing_;
  std::string frozen_;  ///< what was said of it last
  std::optional<LossScaler> scaler_;
  std::optional<AveragedWeights> average_;
  std::optional<HardExamples> hard_examples_;
  std::int64_t average_start_;
};

}  // namespace nephron::host
