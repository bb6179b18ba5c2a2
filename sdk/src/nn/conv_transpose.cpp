#include <nephron/nn/conv_transpose.hpp>

#include <cmath>

#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <nephron/nn/first_weights.hpp>

namespace nephron::nn {

DoublingConv::DoublingConv(std::int64_t in, std::int64_t out) : torch::nn::Module("DoublingConv") {
  weight_ = register_parameter("weight", at::empty({in, out, 4, 4}));
  bias_ = register_parameter("bias", at::empty({out}));
  // PyTorch takes the second side of the weight for the inputs whichever way the convolution runs.
  if (WithoutFirstWeights::here()) return;
  const double bound = 1 / std::sqrt(static_cast<double>(out * 16));
  const at::NoGradGuard no_grad;
  weight_.uniform_(-bound, bound);
  bias_.uniform_(-bound, bound);
}

DoublingConv::~DoublingConv() = default;

at::Tensor DoublingConv::forward(const at::Tensor& x) const {
  return at::conv_transpose2d(x, weight_, bias_, /*stride=*/2, /*padding=*/1);
}

}  // namespace nephron::nn
