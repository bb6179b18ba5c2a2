#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>
#include <memory>

#include <torch/nn/module.h>

#include <nephron/export.hpp>
#include <nephron/nn/activation.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

/// Zeros added before the first and after the last row and column.
struct Padding {
  std::int64_t before = 0;
  std::int64_t after = 0;
};

struct ConvShape {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t groups = 1;
  bool bias = false;
};

/// How a module is made ready for inference that never trains it again (nephron/nn/fold.hpp).
struct Freezing {
  at::ScalarType type = at::kFloat;  ///< of maps and weights: kFloat or kBFloat16
  /// 3x3 convolutions of stride 1 by minimal filtering (Lavin and Gray 2015, arXiv:1509.09308): a quarter of the
  /// products, other roundings.
  bool minimal_filtering = true;
};

class FrozenConv;

/// A square 2-d convolution with the names and the initialisation of torch.nn.Conv2d ("weight", "bias"). In place of
/// torch::nn::Conv2d because it pads the two ends apart, can be dilated afterwards, and compiles in a fraction of the
/// time.
class NEPHRON_API Conv2d final : public torch::nn::Module {
 public:
  /// Padding: kernel / 2 at both ends.
  explicit Conv2d(const ConvShape& shape);
  Conv2d(const ConvShape& shape, Padding padding);
  ~Conv2d() override;

  at::Tensor forward(const at::Tensor& x) const { return forward(x, Activation::none); }
  /// activate(forward(x) + more, activation), in one pass once it is frozen. `more` may be undefined.
  at::Tensor forward(const at::Tensor& x, Activation activation, const at::Tensor& more = {}) const;
  /// activate(forward(concat(x upsampled to twice its size by nearest neighbour, skip)), activation), where neither is
  /// made (upsampled_conv.hpp). `skip` may be undefined. Kernel 3, stride 1, padding 1 only.
  at::Tensor forward_upsampled(const at::Tensor& x, const at::Tensor& skip, Activation activation) const;
  /// From now on computes in inference mode on a CPU alone, by weights packed for it: what changes weight() or bias()
  /// afterwards changes nothing. False, and nothing changes, where there is no packed form.
  bool freeze(const Freezing& how);
  bool frozen() const noexcept { return frozen_ != nullptr; }
  /// Stride 1 and this dilation, the size of the map kept: how an encoder's output stride is lowered. What an even
  /// kernel pads unevenly is more at the end, as TensorFlow's "same".
  void dilate(std::int64_t dilation);

  const ConvShape& shape() const noexcept { return shape_; }
  at::Tensor& weight() noexcept { return weight_; }
  const at::Tensor& weight() const noexcept { return weight_; }
  at::Tensor& bias() noexcept { return bias_; }
  const at::Tensor& bias() const noexcept { return bias_; }

 private:
  at::Tensor convolved(const at::Tensor& x) const;

  ConvShape shape_;
  Padding padding_;
  std::int64_t dilation_ = 1;
  at::Tensor weight_;
  at::Tensor bias_;
  std::shared_ptr<const FrozenConv> frozen_;
};

/// Dilates every Conv2d of a module, itself included; what pads or pools by itself is left as it is, so that a stage
/// with a pooling layer or an uneven padding of its own has to see to them. Kernels of side 1 only lose their stride.
NEPHRON_API void dilate(torch::nn::Module& module, std::int64_t dilation);

}  // namespace nephron::nn
