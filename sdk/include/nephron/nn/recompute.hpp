#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <functional>
#include <vector>

#include <torch/nn/module.h>

#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

/// Gradient checkpointing (Chen et al. 2016, arXiv:1604.06174) on this thread: while one that is on lives, recomputed()
/// keeps nothing of its block but the inputs, and runs it again when gradients are asked for.
class NEPHRON_API Recompute {
 public:
  explicit Recompute(bool on) noexcept;
  ~Recompute();
  Recompute(const Recompute&) = delete;
  Recompute& operator=(const Recompute&) = delete;
  /// Blocks of this thread that were run so, since it started.
  static std::size_t blocks() noexcept;

 private:
  bool before_;
};

/// A part of a network as a function of its inputs.
using Block = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

/// block(inputs), where the block computes with what `module` holds and with its inputs, which it does not change in
/// place. `block` may be called again in the backward pass: it refers to nothing that is gone by then. Buffers of
/// `module`, such as statistics of normalisations, change once; what the block draws from LibTorch's generators is
/// drawn alike, and so are gradients, to the bit. What it draws elsewhere has to be drawn before, and given to it.
NEPHRON_API at::Tensor recomputed(torch::nn::Module& module, std::vector<at::Tensor> inputs, Block block);

}  // namespace nephron::nn
