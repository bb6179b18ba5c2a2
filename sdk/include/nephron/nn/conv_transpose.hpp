#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>

#include <torch/nn/module.h>

#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

/// A transposed convolution that doubles a map: kernel 4, stride 2, padding 1, with a bias. Names ("weight", "bias"),
/// shapes and initialisation of torch.nn.ConvTranspose2d. [N, in, h, w] -> [N, out, 2h, 2w].
class NEPHRON_API DoublingConv final : public torch::nn::Module {
 public:
  DoublingConv(std::int64_t in, std::int64_t out);
  ~DoublingConv() override;
  at::Tensor forward(const at::Tensor& x) const;

 private:
  at::Tensor weight_;  ///< [in, out, 4, 4]
  at::Tensor bias_;
};

}  // namespace nephron::nn
