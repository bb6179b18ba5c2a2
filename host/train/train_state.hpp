#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <c10/core/Device.h>

#include <host/config/experiment.hpp>
#include <host/model/model.hpp>
#include <host/train/checkpoint.hpp>
#include <host/train/optimizer.hpp>

namespace nephron::host {

/// All that changes while a fold is trained, and comes back after a break: weights, moments, the scale of the loss,
/// progress. What is added later has to have a default, so that older checkpoints stay readable.
class TrainState {
 public:
  /// `model` lies on the device already, as it will be trained.
  TrainState(std::shared_ptr<SegmentationModel> model, const TrainConfig& config, c10::Device device);

  SegmentationModel& model() const noexcept { return *model_; }
  Optimizer& optimizer() noexcept { return optimizer_; }
  std::optional<LossScaler>& scaler() noexcept { return scaler_; }
  TrainProgress progress;

  /// Bytes that one checkpoint takes, about.
  std::size_t bytes() const;
  /// Goes back to the last checkpoint of `fold`. Throws as load_checkpoint().
  void load(const FoldFolder& fold, const TrainLengths& lengths);
  void save(const FoldFolder& fold, bool best) const;
  /// Beside the checkpoints, to be looked at; returns its folder.
  std::filesystem::path save_aside(const FoldFolder& fold, const std::string& name) const;

 private:
  /// All but the weights.
  TensorMap tensors() const;

  std::shared_ptr<SegmentationModel> model_;
  Optimizer optimizer_;
  std::optional<LossScaler> scaler_;
};

}  // namespace nephron::host
