#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include <host/config/experiment.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

/// Adam, AdamW and SGD through torch's fused kernels: one pass over all parameters a step. Equal to torch.optim's.
class Optimizer {
 public:
  using Named = std::vector<std::pair<std::string, at::Tensor>>;

  Optimizer(const OptimizerConfig& config, Named parameters);
  /// One step with the gradients at hand; parameters without one stay as they are. `found_inf`: a float tensor of one
  /// element; when it is not 0 nothing happens.
  void step(double lr, const std::optional<at::Tensor>& found_inf = std::nullopt);
  /// Drops the gradients, so that the next backward writes them in place of adding to them.
  void zero_grad();
  /// Gradients that are there.
  std::vector<at::Tensor> gradients() const;

  /// Everything that is needed to go on, by "KIND.PARAMETER" (exp_avg.encoder.conv1.weight).
  TensorMap state() const;
  /// Throws Error when a tensor is missing or of another shape.
  void load(const TensorMap& state);

 private:
  struct Slot {
    std::string name;
    at::Tensor parameter;
    at::Tensor average;  ///< exp_avg, or the momentum of SGD
    at::Tensor square;   ///< exp_avg_sq; undefined for SGD
    at::Tensor steps;    ///< float, number of updates so far
  };
  bool adaptive() const noexcept { return config_.type != "sgd"; }
  std::vector<std::pair<std::string, at::Tensor*>> tensors(Slot& slot) const;

  OptimizerConfig config_;
  std::vector<Slot> slots_;
};

/// Scales gradients down so that their joint 2-norm is at most `limit`; returns the norm before, on their device.
at::Tensor clip_gradients(const std::vector<at::Tensor>& gradients, double limit);

/// Gradient scaling for fp16, as torch.amp.GradScaler with its defaults: the loss is multiplied by a scale that halves
/// when a gradient overflows (that step is left out) and doubles after 2000 good steps.
class LossScaler {
 public:
  explicit LossScaler(c10::Device device);
  at::Tensor scale(const at::Tensor& loss) const { return loss * scale_; }
  /// Divides the gradients by the scale; the result is the `found_inf` of Optimizer::step.
  at::Tensor unscale(const std::vector<at::Tensor>& gradients) const;
  void update(const at::Tensor& found_inf);
  TensorMap state() const;
  void load(const TensorMap& state);

 private:
  at::Tensor scale_;
  at::Tensor good_steps_;
};

}  // namespace nephron::host
