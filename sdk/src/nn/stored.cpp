#include <nephron/nn/stored.hpp>

namespace nephron::nn {

void store_only(torch::nn::Module& module) {
  for (at::Tensor& parameter : module.parameters()) parameter.requires_grad_(false);
}

}  // namespace nephron::nn
