#pragma once

#include <string>
#include <vector>

#include <torch/nn/module.h>

#include <host/weights/tensors.hpp>

namespace nephron::host {

/// Parameters and buffers of a module by their state-dict names. The tensors are the module's own.
TensorMap state_dict(const torch::nn::Module& module);
/// The same names in the order that Python's state_dict() has.
std::vector<std::string> state_dict_order(const torch::nn::Module& module);

struct WeightReport {
  std::vector<std::string> missing, unexpected, misshapen;
  bool good() const { return missing.empty() && unexpected.empty() && misshapen.empty(); }
  std::string table() const;  ///< readable
};
/// Copies tensors into the module. `strict`: throws Error with the table when names or shapes differ, and changes
/// nothing; otherwise takes what fits. A missing num_batches_tracked never counts.
WeightReport apply_weights(torch::nn::Module& module, const TensorMap& tensors, bool strict, const std::string& source);

}  // namespace nephron::host
