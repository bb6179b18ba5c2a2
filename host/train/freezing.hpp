#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>

#include <host/config/experiment.hpp>
#include <host/train/parts.hpp>

namespace nephron::host {

/// Parts of a network that are not trained in some epochs ([[train.freeze]]). What is frozen is a function of the epoch
/// alone, so that a run that goes on freezes as an unbroken one does.
class Freezing {
 public:
  /// Throws Error for a pattern that names nothing, and where an epoch would have nothing to train.
  Freezing(const TrainConfig& config, NamedTensors parameters);
  bool none() const noexcept { return config_.empty(); }
  /// Whether each parameter is frozen in an epoch, from 0.
  std::vector<bool> in_epoch(std::int64_t epoch) const;
  /// Puts the network into training mode, except modules all of whose parameters are frozen: those stay in evaluation
  /// mode, so that their statistics stay and they drop nothing. Frozen parameters get no gradient.
  void apply(torch::nn::Module& network, std::int64_t epoch) const;
  /// "12 of 30 parameters (1.2 M of 3.4 M values) are frozen".
  std::string text(std::int64_t epoch) const;

 private:
  std::vector<FreezeConfig> config_;
  NamedTensors parameters_;
  std::vector<std::vector<bool>> parts_;  ///< one an entry of config_
  std::vector<bool> trainable_;           ///< what the components themselves let be trained
};

}  // namespace nephron::host
