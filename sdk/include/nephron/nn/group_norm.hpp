#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>

#include <torch/nn/module.h>

#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

/// torch.nn.GroupNorm: names "weight", "bias". Each sample by itself, so that a batch of one trains as well (Wu and He
/// 2018, arXiv:1803.08494).
class NEPHRON_API GroupNorm final : public torch::nn::Module {
 public:
  /// Throws Error when the groups do not divide the channels.
  GroupNorm(std::int64_t groups, std::int64_t channels, double eps = 1e-5);
  ~GroupNorm() override;
  at::Tensor forward(const at::Tensor& x) const;

 private:
  std::int64_t groups_;
  double eps_;
  at::Tensor weight_, bias_;
};

}  // namespace nephron::nn
