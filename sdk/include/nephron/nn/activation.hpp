#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>

#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

enum class Activation : std::uint8_t { none, relu, relu6, silu, gelu };

/// May work in place where autograd allows it: do not use x afterwards. GELU is the exact one, of the error function.
NEPHRON_API at::Tensor activate(const at::Tensor& x, Activation activation);

}  // namespace nephron::nn
