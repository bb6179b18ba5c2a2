#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>
#include <memory>

#include <nephron/nn/blocks.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/nn/resize.hpp>

namespace nephron::nn {

struct UnetBlockShape {
  std::int64_t in = 0;    ///< channels of the coarse map
  std::int64_t skip = 0;  ///< of what is joined; 0: nothing is
  std::int64_t out = 0;
  bool norm = true;
  bool scse = false;  ///< attention before and after the convolutions
  Interpolation interpolation = Interpolation::nearest;
  bool joins_nothing = false;  ///< a map of no channels is joined (skip is 0): attention before the convolutions runs
  bool fast = true;            ///< ConvNormRelu::forward_upsampled where it gives the same
};

/// Enlarges the coarse map, joins another of that size, two 3x3 convolutions. Names as SMP's Unet and UnetPlusPlus:
/// conv1, conv2, attention1.attention, attention2.attention.
class NEPHRON_API UnetBlock final : public torch::nn::Module {
 public:
  explicit UnetBlock(const UnetBlockShape& shape);
  ~UnetBlock() override;

  /// coarse [N, in, h, w], skip [N, skip, H, W] or, where nothing is joined, undefined, size {H, W} -> [N, out, H, W].
  at::Tensor forward(const at::Tensor& coarse, at::IntArrayRef size, const at::Tensor& skip);

 private:
  at::Tensor first(const at::Tensor& coarse, at::IntArrayRef size, const at::Tensor& skip);
  std::shared_ptr<Scse> attention(const char* name, std::int64_t channels);

  UnetBlockShape shape_;
  std::shared_ptr<ConvNormRelu> conv1_, conv2_;
  std::shared_ptr<Scse> attention1_, attention2_;
};

}  // namespace nephron::nn
