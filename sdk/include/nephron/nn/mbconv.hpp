#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>
#include <memory>

#include <nephron/nn/blocks.hpp>
#include <nephron/nn/build.hpp>

namespace nephron::nn {

struct MBConvShape {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t expansion = 1;
  std::int64_t squeezed = 0;  ///< channels inside squeeze-and-excitation; 0: none
  Padding padding{1, 1};      ///< of the depthwise convolution
  Activation activation = Activation::silu;
  double eps = 1e-3;
  double momentum = 0.01;
};

/// Inverted bottleneck (Sandler et al. 2018, arXiv:1801.04381) as EfficientNet has it (Tan and Le 2019,
/// arXiv:1905.11946). Names as efficientnet_pytorch: _expand_conv, _bn0, _depthwise_conv, _bn1, _se_reduce, _se_expand,
/// _project_conv, _bn2.
class NEPHRON_API MBConv final : public torch::nn::Module {
 public:
  explicit MBConv(const MBConvShape& shape);
  ~MBConv() override;

  bool residual() const noexcept { return shape_.stride == 1 && shape_.in == shape_.out; }
  /// `branch_scale` [N, 1, 1, 1]: multiplies the branch before the sum (drop connect); undefined: 1. Only of a residual
  /// block.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& branch_scale = {});

 private:
  MBConvShape shape_;
  std::shared_ptr<Conv2d> expand_, depthwise_, se_reduce_, se_expand_, project_;
  std::shared_ptr<BatchNorm2d> norm0_, norm1_, norm2_;
};

}  // namespace nephron::nn
