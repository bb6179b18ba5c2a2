#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include <host/config/experiment.hpp>
#include <host/train/parameter_groups.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

/// Adam, AdamW and SGD through torch's fused kernels: one pass over the parameters of a group a step. RAdam (Liu et al.
/// 2020) and Lion (Chen et al. 2023), for which torch has none, operation by operation over all of them. Equal to
/// torch.optim's.
class Optimizer {
 public:
  Optimizer(const OptimizerConfig& config, const std::vector<ParameterGroup>& groups);
  /// All parameters alike.
  Optimizer(const OptimizerConfig& config, NamedTensors parameters);
  /// One step with the gradients at hand; parameters without one stay as they are. `lr`: of the groups whose factor is
  /// 1. `found_inf`: a float tensor of one element; when it is not 0 nothing happens.
  void step(double lr, const std::optional<at::Tensor>& found_inf = std::nullopt);
  /// Drops the gradients, so that the next backward writes them in place of adding to them.
  void zero_grad();
  /// Gradients that are there.
  std::vector<at::Tensor> gradients() const;

  /// Everything that is needed to go on, by "KIND.PARAMETER" (exp_avg.encoder.conv1.weight).
  TensorMap state() const;
  /// Throws Error when a tensor is missing or of another shape.
  void load(const TensorMap& state);

  /// Tensors of a parameter's size that it keeps for each.
  static int moments(const OptimizerConfig& config);

 private:
  struct Slot {
    std::string name;
    at::Tensor parameter;
    at::Tensor average;  ///< running mean of gradients, or the momentum of SGD
    at::Tensor square;   ///< of their squares; undefined for SGD and Lion
    at::Tensor steps;    ///< float, number of updates so far; RAdam's lies on the CPU, which computes with it
  };
  struct Group {
    double lr_factor, weight_decay;
    std::vector<Slot> slots;
  };
  /// Tensors of the slots that have a gradient, as torch's kernels take them.
  struct Lists {
    std::vector<at::Tensor> parameters, gradients, averages, squares, steps;
    void add(const Slot& slot);
  };
  static std::vector<std::pair<std::string, at::Tensor*>> tensors(Slot& slot);
  void fused(const Lists& lists, double lr, double decay, const std::optional<at::Tensor>& found_inf) const;
  void radam(const Lists& lists, double lr, double decay) const;
  void lion(const Lists& lists, double lr, double decay) const;

  OptimizerConfig config_;
  std::array<double, 2> betas_;
  std::vector<Group> groups_;
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
