#include <host/train/optimizer.hpp>

#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

void copy_checked(const TensorMap& from, const std::string& name, at::Tensor& to) {
  const auto found = from.find(name);
  if (found == from.end())
    throw Error("the training state lacks \"" + name + "\"", "It was written for another optimizer or model.");
  if (found->second.sizes() != to.sizes())
    throw Error("\"" + name + "\" of the training state has another shape than the model");
  to.copy_(found->second);
}

}  // namespace

Optimizer::Optimizer(const OptimizerConfig& config, Named parameters) : config_(config) {
  if (config_.type != "adam" && config_.type != "adamw" && config_.type != "sgd")
    throw Error("unknown optimizer \"" + config_.type + "\": expected \"adam\", \"adamw\" or \"sgd\"");
  const c10::NoGradGuard no_grad;
  for (auto& [name, parameter] : parameters) {
    if (!parameter.requires_grad()) continue;
    Slot slot{name, parameter, {}, {}, {}};
    // The fused kernels walk memory: state must lie as the parameter does, channels_last included; zeros_like sees to
    // it.
    slot.average = at::zeros_like(parameter);
    if (adaptive()) slot.square = at::zeros_like(parameter);
    slot.steps = at::zeros({}, parameter.options().dtype(at::kFloat).requires_grad(false));
    slots_.push_back(std::move(slot));
  }
}

void Optimizer::step(double lr, const std::optional<at::Tensor>& found_inf) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> parameters, gradients, averages, squares, steps;
  for (const Slot& slot : slots_) {
    if (!slot.parameter.grad().defined()) continue;
    parameters.push_back(slot.parameter);
    gradients.push_back(slot.parameter.grad());
    averages.push_back(slot.average);
    if (adaptive()) squares.push_back(slot.square);
    steps.push_back(slot.steps);
  }
  if (parameters.empty()) return;
  const double decay = config_.weight_decay;
  at::_foreach_add_(steps, 1);
  if (config_.type == "adam") {
    at::_fused_adam_(parameters, gradients, averages, squares, {}, steps, lr, config_.betas[0], config_.betas[1], decay,
                     config_.eps,
                     /*amsgrad=*/false, /*maximize=*/false, {}, found_inf);
  } else if (config_.type == "adamw") {
    at::_fused_adamw_(parameters, gradients, averages, squares, {}, steps, lr, config_.betas[0], config_.betas[1],
                      decay, config_.eps,
                      /*amsgrad=*/false, /*maximize=*/false, {}, found_inf);
  } else {
    // A zero buffer times the momentum plus the gradient is the gradient: there is no special first step.
    at::_fused_sgd_(parameters, gradients, averages, decay, config_.momentum, lr, /*dampening=*/0, /*nesterov=*/false,
                    /*maximize=*/false, /*is_first_step=*/false, {}, found_inf);
  }
  if (found_inf) at::_foreach_sub_(steps, *found_inf);  // a step left out does not count
}

void Optimizer::zero_grad() {
  for (const Slot& slot : slots_) slot.parameter.mutable_grad() = at::Tensor();
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> out;
  for (const Slot& slot : slots_)
    if (slot.parameter.grad().defined()) out.push_back(slot.parameter.grad());
  return out;
}

std::vector<std::pair<std::string, at::Tensor*>> Optimizer::tensors(Slot& slot) const {
  if (!adaptive()) return {{"momentum." + slot.name, &slot.average}, {"steps." + slot.name, &slot.steps}};
  return {{"exp_avg." + slot.name, &slot.average},
          {"exp_avg_sq." + slot.name, &slot.square},
          {"steps." + slot.name, &slot.steps}};
}

TensorMap Optimizer::state() const {
  TensorMap out;
  for (Slot slot : slots_)  // copies share the tensors
    for (const auto& [name, tensor] : tensors(slot)) out.emplace(name, *tensor);
  return out;
}

void Optimizer::load(const TensorMap& state) {
  const c10::NoGradGuard no_grad;
  for (Slot& slot : slots_)
    for (const auto& [name, tensor] : tensors(slot)) copy_checked(state, name, *tensor);
}

at::Tensor clip_gradients(const std::vector<at::Tensor>& gradients, double limit) {
  const c10::NoGradGuard no_grad;
  if (gradients.empty()) return at::zeros({});
  const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
  at::_foreach_mul_(gradients, (limit / (norm + 1e-6)).clamp_max(1));
  return norm;
}

LossScaler::LossScaler(c10::Device device)
    : scale_(at::full({}, 65536, at::TensorOptions().dtype(at::kFloat).device(device))),
      good_steps_(at::zeros({}, at::TensorOptions().dtype(at::kInt).device(device))) {}

at::Tensor LossScaler::unscale(const std::vector<at::Tensor>& gradients) const {
  const c10::NoGradGuard no_grad;
  at::Tensor found_inf = at::zeros({}, scale_.options());
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, found_inf, at::reciprocal(scale_));
  return found_inf;
}

void LossScaler::update(const at::Tensor& found_inf) {
  const c10::NoGradGuard no_grad;
  at::_amp_update_scale_(scale_, good_steps_, found_inf, 2.0, 0.5, 2000);
}

TensorMap LossScaler::state() const { return {{"scaler.scale", scale_}, {"scaler.good_steps", good_steps_}}; }

void LossScaler::load(const TensorMap& state) {
  const c10::NoGradGuard no_grad;
  copy_checked(state, "scaler.scale", scale_);
  copy_checked(state, "scaler.good_steps", good_steps_);
}

}  // namespace nephron::host
