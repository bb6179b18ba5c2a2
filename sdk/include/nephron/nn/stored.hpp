#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <torch/nn/module.h>

#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

/// Declares that forward never uses this module: it is kept because published weights have it. Its parameters stay in
/// the state dict and in counts, but want no gradient (requires_grad is off), so that no optimiser keeps state for
/// them. `plugins check` asks for a gradient of every parameter that wants one.
NEPHRON_API void store_only(torch::nn::Module& module);

}  // namespace nephron::nn
