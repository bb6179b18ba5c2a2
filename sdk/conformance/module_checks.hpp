#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <torch/nn/module.h>

#include <conformance/bench.hpp>

// What encoders and decoders share.
namespace nephron::conformance {

/// Name and shape of every parameter and buffer: what a file of weights has.
inline std::map<std::string, std::string> state_of(const torch::nn::Module& module) {
  std::map<std::string, std::string> out;
  for (const auto& p : module.named_parameters()) out[p.key()] = shape_text(p.value());
  for (const auto& b : module.named_buffers()) out[b.key()] = shape_text(b.value());
  return out;
}

/// Throws Failed when one parameter or buffer has two names: it would be saved twice, loaded twice, and stepped twice.
void require_own_names(const torch::nn::Module& module);

/// Copies parameters and buffers, so that two instances can be compared whatever they were initialised with.
void copy_state(const torch::nn::Module& from, torch::nn::Module& to);

/// Throws Failed when body(), which makes a module and runs it, leaves LibTorch's generator in one state whatever the
/// state was before: modules draw from it, and the host alone seeds it.
void require_no_seeding(const std::function<void()>& body);

/// What a module gives, for trace_of(): make() draws first weights from LibTorch's generator seeded alike in every
/// process, and run() begins with another seed in each. Numbers that trace_fault() compares.
std::string module_trace(const std::function<void()>& make, const std::function<std::vector<at::Tensor>()>& run);

/// Which parameters a backward pass reaches: every one that wants a gradient, and none that is only stored
/// (nn::store_only). Made before forward, asked after backward().
class GradientWatch {
 public:
  /// Lets all parameters want a gradient, so that those that are only stored show whether they are used.
  explicit GradientWatch(torch::nn::Module& module);
  /// Throws Failed, with names; and when a gradient is not finite.
  void require_gradients() const;

 private:
  torch::nn::Module& module_;
  std::set<std::string> only_stored_;
};

}  // namespace nephron::conformance
