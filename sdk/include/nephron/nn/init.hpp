#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <nephron/nn/build.hpp>
#include <nephron/nn/conv.hpp>

namespace nephron::nn {

// Initialisation of convolutions, biases to 0, and of any weights. All draw from LibTorch's default CPU generator,
// which the host seeds before it builds a model, so that a model's random weights are a function of the experiment's
// seed.

/// He normal over the outputs, as torchvision's ResNet.
NEPHRON_API void init_kaiming_normal_fan_out(Conv2d& conv);
/// He uniform over the inputs, as SMP's decoders.
NEPHRON_API void init_kaiming_uniform_fan_in(Conv2d& conv);
/// Glorot uniform, as SMP's head.
NEPHRON_API void init_xavier_uniform(Conv2d& conv);

/// torch.nn.init.trunc_normal_ of any weights: normal, cut to [low, high]; the same numbers for the same seed.
NEPHRON_API void init_truncated_normal(const at::Tensor& weights, double deviation, double mean = 0, double low = -2,
                                       double high = 2);

/// Calls `init` on every Conv2d of a module.
NEPHRON_API void init_convs(torch::nn::Module& module, void (*init)(Conv2d&));

}  // namespace nephron::nn
