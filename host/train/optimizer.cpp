#include <host/train/optimizer.hpp>

#include <cmath>
#include <map>

#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_sign.h>
#include <ATen/ops/_foreach_sqrt.h>
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

Optimizer::Optimizer(const OptimizerConfig& config, NamedTensors parameters)
    : Optimizer(config, {ParameterGroup{"all", 1, config.weight_decay, std::move(parameters)}}) {}

Optimizer::Optimizer(const OptimizerConfig& config, const std::vector<ParameterGroup>& groups)
    : config_(config), betas_(config.betas_in_use()) {
  const int kept = moments(config);  // an unknown rule is refused here
  const c10::NoGradGuard no_grad;
  for (const ParameterGroup& from : groups) {
    Group& to = groups_.emplace_back(Group{from.lr_factor, from.weight_decay, {}});
    for (const auto& [name, parameter] : from.parameters) {
      if (!parameter.requires_grad()) continue;
      Slot slot{name, parameter, {}, {}, {}};
      // The fused kernels walk memory: state must lie as the parameter does, channels_last included; zeros_like sees to
      // it.
      slot.average = at::zeros_like(parameter);
      if (kept > 1) slot.square = at::zeros_like(parameter);
      const auto options = parameter.options().dtype(at::kFloat).requires_grad(false);
      slot.steps = at::zeros({}, config.type == "radam" ? options.device(c10::kCPU) : options);
      to.slots.push_back(std::move(slot));
    }
  }
}

int Optimizer::moments(const OptimizerConfig& config) {
  const std::string& type = config.type;
  if (type == "sgd" || type == "lion") return 1;
  if (type == "adam" || type == "adamw" || type == "radam") return 2;
  throw Error("unknown optimizer \"" + type + "\": expected \"adam\", \"adamw\", \"sgd\", \"radam\" or \"lion\"");
}

void Optimizer::Lists::add(const Slot& slot) {
  if (!slot.parameter.grad().defined()) return;
  parameters.push_back(slot.parameter);
  gradients.push_back(slot.parameter.grad());
  averages.push_back(slot.average);
  if (slot.square.defined()) squares.push_back(slot.square);
  steps.push_back(slot.steps);
}

void Optimizer::step(double lr, const std::optional<at::Tensor>& found_inf) {
  const c10::NoGradGuard no_grad;
  const bool by_kernel = config_.type != "radam" && config_.type != "lion";
  // Where no kernel asks for it, the CPU does, and waits for the device as torch's GradScaler does.
  if (!by_kernel && found_inf && found_inf->item<float>() != 0) return;
  for (const Group& group : groups_) {
    Lists lists;
    for (const Slot& slot : group.slots) lists.add(slot);
    if (lists.parameters.empty()) continue;
    at::_foreach_add_(lists.steps, 1);
    const double rate = lr * group.lr_factor;
    if (config_.type == "radam") radam(lists, rate, group.weight_decay);
    else if (config_.type == "lion") lion(lists, rate, group.weight_decay);
    else fused(lists, rate, group.weight_decay, found_inf);
    if (by_kernel && found_inf) at::_foreach_sub_(lists.steps, *found_inf);  // a step left out does not count
  }
}

void Optimizer::fused(const Lists& l, double lr, double decay, const std::optional<at::Tensor>& found_inf) const {
  if (config_.type == "adam") {
    at::_fused_adam_(l.parameters, l.gradients, l.averages, l.squares, {}, l.steps, lr, betas_[0], betas_[1], decay,
                     config_.eps,
                     /*amsgrad=*/false, /*maximize=*/false, {}, found_inf);
  } else if (config_.type == "adamw") {
    at::_fused_adamw_(l.parameters, l.gradients, l.averages, l.squares, {}, l.steps, lr, betas_[0], betas_[1], decay,
                      config_.eps,
                      /*amsgrad=*/false, /*maximize=*/false, {}, found_inf);
  } else {
    // A zero buffer times the momentum plus the gradient is the gradient: there is no special first step. Without
    // momentum the kernel takes no buffers.
    at::_fused_sgd_(l.parameters, l.gradients, config_.momentum == 0 ? std::vector<at::Tensor>() : l.averages, decay,
                    config_.momentum, lr, /*dampening=*/0, config_.nesterov, /*maximize=*/false,
                    /*is_first_step=*/false, {}, found_inf);
  }
}

void Optimizer::radam(const Lists& l, double lr, double decay) const {
  // Parameters that were frozen have made fewer steps than the others.
  std::map<std::int64_t, Lists> by_steps;
  for (std::size_t i = 0; i < l.parameters.size(); ++i) {
    Lists& to = by_steps[l.steps[i].item<std::int64_t>()];
    to.parameters.push_back(l.parameters[i]);
    to.gradients.push_back(l.gradients[i]);
    to.averages.push_back(l.averages[i]);
    to.squares.push_back(l.squares[i]);
  }
  for (auto& [n, p] : by_steps) {
    const auto steps = static_cast<double>(n);
    if (decay != 0) p.gradients = at::_foreach_add(p.gradients, p.parameters, decay);
    at::_foreach_lerp_(p.averages, p.gradients, 1 - betas_[0]);
    at::_foreach_mul_(p.squares, betas_[1]);
    at::_foreach_addcmul_(p.squares, p.gradients, p.gradients, 1 - betas_[1]);
    const double left = std::pow(betas_[1], steps);
    const double rate = lr / (1 - std::pow(betas_[0], steps));
    // The length of the simple moving average that the exponential one is like: below 5 its variance is not known well
    // enough to divide by.
    const double longest = 2 / (1 - betas_[1]) - 1, length = longest - 2 * steps * left / (1 - left);
    if (length <= 5) {
      at::_foreach_add_(p.parameters, p.averages, -rate);
      continue;
    }
    const double rectified =
        std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
    std::vector<at::Tensor> divisors = at::_foreach_sqrt(p.squares);
    at::_foreach_add_(divisors, config_.eps);
    at::_foreach_addcdiv_(p.parameters, p.averages, divisors, -rate * rectified * std::sqrt(1 - left));
  }
}

void Optimizer::lion(const Lists& l, double lr, double decay) const {
  std::vector<at::Tensor> update = at::_foreach_lerp(l.averages, l.gradients, 1 - betas_[0]);
  at::_foreach_sign_(update);
  if (decay != 0) at::_foreach_mul_(l.parameters, 1 - lr * decay);
  at::_foreach_add_(l.parameters, update, -lr);
  at::_foreach_lerp_(l.averages, l.gradients, 1 - betas_[1]);
}

void Optimizer::zero_grad() {
  for (const Group& group : groups_)
    for (const Slot& slot : group.slots) slot.parameter.mutable_grad() = at::Tensor();
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> out;
  for (const Group& group : groups_)
    for (const Slot& slot : group.slots)
      if (slot.parameter.grad().defined()) out.push_back(slot.parameter.grad());
  return out;
}

std::vector<std::pair<std::string, at::Tensor*>> Optimizer::tensors(Slot& slot) {
  if (!slot.square.defined()) return {{"momentum." + slot.name, &slot.average}, {"steps." + slot.name, &slot.steps}};
  return {{"exp_avg." + slot.name, &slot.average},
          {"exp_avg_sq." + slot.name, &slot.square},
          {"steps." + slot.name, &slot.steps}};
}

TensorMap Optimizer::state() const {
  TensorMap out;
  for (const Group& group : groups_)
    for (Slot slot : group.slots)  // copies share the tensors
      for (const auto& [name, tensor] : tensors(slot)) out.emplace(name, *tensor);
  return out;
}

void Optimizer::load(const TensorMap& state) {
  const c10::NoGradGuard no_grad;
  for (Group& group : groups_)
    for (Slot& slot : group.slots)
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
