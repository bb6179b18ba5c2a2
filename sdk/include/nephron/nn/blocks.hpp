#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nephron/nn/activation.hpp>
#include <nephron/nn/batch_norm.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/nn/conv.hpp>

namespace nephron::nn {

/// Convolution (child "0"), batch normalisation ("1") unless `norm` is false, ReLU: SMP's Conv2dReLU. Without
/// normalisation the convolution has a bias.
class NEPHRON_API ConvNormRelu final : public torch::nn::Module {
 public:
  ConvNormRelu(std::int64_t in, std::int64_t out, std::int64_t kernel, bool norm = true);
  ~ConvNormRelu() override;
  at::Tensor forward(const at::Tensor& x);
  /// The same of concat(x upsampled to twice its size by nearest neighbour, skip), which is never made. `skip` may be
  /// undefined. Kernel 3 only.
  at::Tensor forward_upsampled(const at::Tensor& x, const at::Tensor& skip);

 private:
  std::shared_ptr<Conv2d> conv_;
  std::shared_ptr<BatchNorm2d> norm_;
};

/// Squeeze and excitation over channels and, beside it, over space: x cSE(x) + x sSE(x) (Roy et al. 2018,
/// arXiv:1803.02579). Names as SMP's SCSEModule: cSE.1, cSE.3, sSE.0.
class NEPHRON_API Scse final : public torch::nn::Module {
 public:
  /// Throws Error when channels / reduction is 0.
  explicit Scse(std::int64_t channels, std::int64_t reduction = 16);
  ~Scse() override;
  at::Tensor forward(const at::Tensor& x) const;

 private:
  std::shared_ptr<Conv2d> reduce_, expand_, space_;
};

/// Modules one after the other under the names "0", "1", ... that only hold them: their owner runs them.
class NEPHRON_API ModuleList final : public torch::nn::Module {
 public:
  ModuleList();
  ~ModuleList() override;
  void append(std::shared_ptr<torch::nn::Module> module);
};

}  // namespace nephron::nn
