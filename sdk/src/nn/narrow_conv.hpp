#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "narrow_rows.hpp"

namespace nephron::nn {

/// A 3x3 convolution of stride 1 and padding 1 to few channels. For inference on a CPU.
class NarrowConv {
 public:
  /// Whether there are kernels for weights [O, C, 3, 3] of this form.
  static bool suits(const at::Tensor& weight);
  /// `bias`: may be undefined.
  NarrowConv(const at::Tensor& weight, const at::Tensor& bias);
  /// map: channels_last, float or bfloat16. What comes out is like it.
  at::Tensor forward(const at::Tensor& map) const;

 private:
  const NarrowKernels& kernels_;
  std::int64_t channels_, outputs_;
  std::vector<float> weights_, bias_;
};

}  // namespace nephron::nn
