#pragma once

#include <nephron/nn/conv.hpp>

namespace nephron::nn {

// Initialisation of convolutions, biases to 0. All draw from LibTorch's default CPU generator, which the host seeds
// before it builds a model, so that a model's random weights are a function of the experiment's seed.

/// He normal over the outputs, as torchvision's ResNet.
NEPHRON_API void init_kaiming_normal_fan_out(Conv2d& conv);
/// He uniform over the inputs, as SMP's decoders.
NEPHRON_API void init_kaiming_uniform_fan_in(Conv2d& conv);
/// Glorot uniform, as SMP's head.
NEPHRON_API void init_xavier_uniform(Conv2d& conv);

/// Calls `init` on every Conv2d of a module.
NEPHRON_API void init_convs(torch::nn::Module& module, void (*init)(Conv2d&));

}  // namespace nephron::nn
