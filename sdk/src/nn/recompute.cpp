#include <nephron/nn/recompute.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/alias.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

namespace nephron::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

thread_local bool on = false;
thread_local std::size_t blocks_run = 0;

/// What LibTorch's generators of a CPU and of one device stand at.
class Draws {
 public:
  explicit Draws(c10::Device device) {
    take(c10::Device(c10::kCPU));
    if (!device.is_cpu()) take(device);
  }
  void put_back() const {
    for (const auto& [generator, state] : states_) {
      at::Generator to = generator;
      const std::lock_guard lock(to.mutex());
      to.set_state(state);
    }
  }

 private:
  void take(c10::Device device) {
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard lock(generator.mutex());
    states_.emplace_back(generator, generator.get_state());
  }
  std::vector<std::pair<at::Generator, at::Tensor>> states_;
};

/// Whether autocast is on, as it was when this was made.
class Autocast {
 public:
  explicit Autocast(c10::Device device)
      : device_(device.type()),
        on_(at::autocast::is_autocast_enabled(device_)),
        type_(at::autocast::get_autocast_dtype(device_)) {}
  void set() const {
    at::autocast::set_autocast_enabled(device_, on_);
    at::autocast::set_autocast_dtype(device_, type_);
  }

 private:
  c10::DeviceType device_;
  bool on_;
  at::ScalarType type_;
};

class AutocastScope {
 public:
  AutocastScope(const Autocast& as, c10::Device device) : before_(device) {
    as.set();
    at::autocast::increment_nesting();
  }
  ~AutocastScope() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    before_.set();
  }
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  Autocast before_;
};

/// Weights that autocast converts without a gradient must not be met by others.
class NoAutocastCache {
 public:
  NoAutocastCache() : before_(at::autocast::is_autocast_cache_enabled()) {
    at::autocast::set_autocast_cache_enabled(false);
  }
  ~NoAutocastCache() { at::autocast::set_autocast_cache_enabled(before_); }
  NoAutocastCache(const NoAutocastCache&) = delete;
  NoAutocastCache& operator=(const NoAutocastCache&) = delete;

 private:
  bool before_;
};

/// A module's buffers, which come back as they were.
class Buffers {
 public:
  explicit Buffers(const torch::nn::Module& module) {
    for (const at::Tensor& own : module.buffers())
      if (own.defined()) states_.emplace_back(own, own.clone());
  }
  void put_back() const {
    const at::NoGradGuard no_grad;
    for (const auto& [own, was] : states_) own.copy_(was);
  }

 private:
  std::vector<std::pair<at::Tensor, at::Tensor>> states_;
};

struct Held final : torch::CustomClassHolder {
  Held(torch::nn::Module& m, Block b, variable_list p, c10::Device device)
      : module(m), block(std::move(b)), parameters(std::move(p)), draws(device), autocast(device) {}
  torch::nn::Module& module;
  Block block;
  variable_list parameters;
  Draws draws;
  Autocast autocast;
};

struct RunTwice : torch::autograd::Function<RunTwice> {
  static at::Tensor forward(AutogradContext* context, at::TensorList inputs, at::TensorList /*parameters*/,
                            const c10::intrusive_ptr<Held>& held) {
    context->save_for_backward(inputs.vec());
    context->saved_data["held"] = c10::IValue::make_capsule(held);
    const NoAutocastCache own;
    return held->block(inputs.vec());
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto holder = context->saved_data["held"].toCapsule();
    const Held& held = static_cast<const Held&>(*holder);
    variable_list inputs = context->get_saved_variables(), wanted;
    const std::size_t all = inputs.size() + held.parameters.size();
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const bool asked = inputs[i].requires_grad();
      inputs[i] = inputs[i].detach().set_requires_grad(asked);
      if (asked) wanted.push_back(inputs[i]), places.push_back(i);
    }
    for (std::size_t i = 0; i < held.parameters.size(); ++i)
      if (held.parameters[i].requires_grad()) wanted.push_back(held.parameters[i]), places.push_back(inputs.size() + i);

    const Buffers buffers(held.module);
    const Draws before(gradients[0].device());
    at::Tensor output;
    {
      const c10::AutoGradMode grad(true);
      const AutocastScope as_then(held.autocast, gradients[0].device());
      held.draws.put_back();
      output = held.block(inputs);
      before.put_back();
    }
    const variable_list found = torch::autograd::grad({output}, wanted, {gradients[0]}, /*retain_graph=*/false,
                                                      /*create_graph=*/false, /*allow_unused=*/true);
    output.reset();
    buffers.put_back();
    variable_list out(all + 1);
    for (std::size_t i = 0; i < places.size(); ++i) out[places[i]] = found[i];
    return out;
  }
};

}  // namespace

Recompute::Recompute(bool value) noexcept : before_(std::exchange(on, value)) {}
Recompute::~Recompute() { on = before_; }
std::size_t Recompute::blocks() noexcept { return blocks_run; }

at::Tensor recomputed(torch::nn::Module& module, std::vector<at::Tensor> inputs, Block block) {
  if (!c10::GradMode::is_enabled() || inputs.empty()) return block(inputs);
  if (!on) {
    // An input that others use too gets its gradient from the block in one piece, as if the block were run twice: sums
    // are then the same to the bit.
    for (at::Tensor& x : inputs)
      if (x.requires_grad()) x = at::alias(x);
    return block(inputs);
  }
  variable_list parameters = module.parameters();
  std::erase_if(parameters, [](const at::Tensor& p) { return !p.defined(); });
  const auto asks = [](const at::Tensor& t) { return t.requires_grad(); };
  if (std::none_of(parameters.begin(), parameters.end(), asks) && std::none_of(inputs.begin(), inputs.end(), asks))
    return block(inputs);
  ++blocks_run;
  const c10::Device device = inputs[0].device();
  const auto held = c10::make_intrusive<Held>(module, std::move(block), parameters, device);
  return RunTwice::apply(at::TensorList(inputs), at::TensorList(held->parameters), held);
}

}  // namespace nephron::nn
