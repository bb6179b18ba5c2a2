#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

/// Stochastic depth (Huang et al. 2016, arXiv:1603.09382): in training each sample of x [N, ...] is 0 with probability
/// `rate`, and else divided by 1 - rate, so that the mean stays; otherwise x itself. Put around what is added to a
/// shortcut. Draws from LibTorch's generator of x's device, as dropout does. Throws Error unless 0 <= rate < 1.
NEPHRON_API at::Tensor drop_path(const at::Tensor& x, double rate, bool training);

}  // namespace nephron::nn
