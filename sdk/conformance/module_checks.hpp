#pragma once

#include <map>
#include <string>

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

/// Copies parameters and buffers, so that two instances can be compared whatever they were initialised with.
void copy_state(const torch::nn::Module& from, torch::nn::Module& to);

/// After backward(): every gradient that is there is finite. Returns the names of parameters that have none.
std::vector<std::string> without_gradient(const torch::nn::Module& module);

/// "a, b and 3 more"
std::string few_of(const std::vector<std::string>& names);

}  // namespace nephron::conformance
