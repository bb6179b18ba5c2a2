#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>

#include <torch/nn/module.h>

#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

/// torch.nn.LayerNorm over the last dimension: names "weight", "bias". Each position by itself, so that a batch of one
/// trains as well (Ba et al. 2016, arXiv:1607.06450).
class NEPHRON_API LayerNorm final : public torch::nn::Module {
 public:
  /// Throws Error without channels.
  explicit LayerNorm(std::int64_t channels, double eps = 1e-5);
  ~LayerNorm() override;
  /// [..., channels] -> the same.
  at::Tensor forward(const at::Tensor& x) const;

 private:
  std::int64_t channels_;
  double eps_;
  at::Tensor weight_, bias_;
};

/// The same over the channels of a map, as timm's LayerNorm2d. [N, C, H, W] of any memory format -> the same in
/// channels_last; a map that comes in channels_last is not copied.
class NEPHRON_API LayerNorm2d final : public torch::nn::Module {
 public:
  /// Throws Error without channels.
  explicit LayerNorm2d(std::int64_t channels, double eps = 1e-6);
  ~LayerNorm2d() override;
  at::Tensor forward(const at::Tensor& x) const;

 private:
  std::int64_t channels_;
  double eps_;
  at::Tensor weight_, bias_;
};

}  // namespace nephron::nn
