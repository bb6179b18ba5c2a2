#include <nephron/nn/activation.hpp>

#include <ATen/ops/gelu.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>

namespace nephron::nn {

at::Tensor activate(const at::Tensor& x, Activation activation) {
  at::Tensor out = x;
  switch (activation) {
    case Activation::none:
      return out;
    case Activation::relu:
      return at::relu_(out);
    case Activation::relu6:
      return at::hardtanh_(out, 0, 6);
    case Activation::silu:
      return at::silu(out);  // its gradient needs the input
    case Activation::gelu:
      return at::gelu(out);
  }
  return out;
}

}  // namespace nephron::nn
