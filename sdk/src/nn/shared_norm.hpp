#pragma once

#include <nephron/nn/batch_norm.hpp>

namespace nephron::nn {

struct SharedNorm {
  const at::Tensor &x, &weight, &bias;
  const at::Tensor &running_mean, &running_var;  ///< follow the batch
  double momentum, eps;
};

/// Batch normalisation in training whose batch lies on several processes.
at::Tensor shared_norm(const SharedNorm& norm, const BatchPeers& peers);

}  // namespace nephron::nn
