#pragma once

#include <nephron/nn/activation.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

/// A normalisation in training mode, and what follows it.
struct NormInTraining {
  at::Tensor x;     ///< [N, C, H, W]
  at::Tensor more;  ///< of the same shape, added before the activation; undefined: nothing is
  at::Tensor weight, bias, running_mean, running_var;
  double momentum = 0;
  double eps = 0;
  Activation activation = Activation::none;
};

/// True when fused_norm() takes it.
bool fuses(const NormInTraining& norm);

/// activation(batch_norm(x) + more) in two passes over x, its gradient in two over x and the gradient; on a CPU, in
/// channels_last. Equal to the single operations but for rounding, and the same bits for any number of threads. The
/// running statistics are moved on.
at::Tensor fused_norm(const NormInTraining& norm);

}  // namespace nephron::nn
