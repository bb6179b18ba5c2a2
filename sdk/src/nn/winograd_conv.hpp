#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "winograd_tiles.hpp"

namespace nephron::nn {

/// A 3x3 convolution of stride 1 and padding 1 by minimal filtering, with what stands before and after it in a network:
/// doubling and joining of maps, a sum, ReLU. For inference on a CPU.
class WinogradConv {
 public:
  /// Whether there are kernels for weights [O, C, 3, 3] of this form, and they pay.
  static bool suits(const at::Tensor& weight);
  /// `bias`: may be undefined.
  WinogradConv(const at::Tensor& weight, const at::Tensor& bias);

  struct Input {
    at::Tensor map;        ///< channels_last, float or bfloat16
    bool doubled = false;  ///< upsampled to twice its size by nearest neighbour
    at::Tensor joined;     ///< after it, of the size of what comes out; may be undefined
    at::Tensor more;       ///< added to what comes out; may be undefined
    bool relu = false;
  };
  /// In channels_last, of the input's type. All tensors of `input` are of that form and one type.
  at::Tensor forward(const Input& input) const;

 private:
  void pack(const float* weight);

  const TileKernels& kernels_;
  std::int64_t channels_, outputs_, panel_;
  std::vector<float> weights_, bias_, zeros_;
};

}  // namespace nephron::nn
