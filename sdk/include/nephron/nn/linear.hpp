#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>

#include <torch/nn/module.h>

#include <nephron/export.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

/// torch.nn.Linear: names ("weight", "bias"), shapes and initialisation. [..., in] -> [..., out].
class NEPHRON_API Linear final : public torch::nn::Module {
 public:
  /// Throws Error unless both are positive.
  Linear(std::int64_t in, std::int64_t out, bool bias = true);
  ~Linear() override;
  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor& weight() noexcept { return weight_; }  ///< [out, in]
  const at::Tensor& weight() const noexcept { return weight_; }
  at::Tensor& bias() noexcept { return bias_; }  ///< undefined without one
  const at::Tensor& bias() const noexcept { return bias_; }

 private:
  at::Tensor weight_, bias_;
};

}  // namespace nephron::nn
