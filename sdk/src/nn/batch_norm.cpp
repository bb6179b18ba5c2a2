#include <nephron/nn/batch_norm.hpp>

#include <ATen/Context.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <nephron/error.hpp>
#include <nephron/nn/conv.hpp>

#include "fused_norm.hpp"
#include "shared_norm.hpp"

namespace nephron::nn {

BatchPeers::~BatchPeers() = default;

BatchNorm2d::BatchNorm2d(std::int64_t channels, double eps, double momentum)
    : torch::nn::Module("BatchNorm2d"), eps_(eps), momentum_(momentum) {
  weight_ = register_parameter("weight", at::ones({channels}));
  bias_ = register_parameter("bias", at::zeros({channels}));
  running_mean_ = register_buffer("running_mean", at::zeros({channels}));
  running_var_ = register_buffer("running_var", at::ones({channels}));
  batches_tracked_ = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

BatchNorm2d::~BatchNorm2d() = default;

at::Tensor BatchNorm2d::forward(const at::Tensor& x, Activation activation, const at::Tensor& more) {
  if (is_training()) {
    if (x.numel() <= x.size(1))
      throw Error(
          "batch normalisation in training needs more than one value a channel, and got a map of one pixel of one "
          "image",
          "train with a larger batch or larger tiles");
    batches_tracked_.add_(1);
    if (peers_ != nullptr) {
      const at::Tensor y = shared_norm({x, weight_, bias_, running_mean_, running_var_, momentum_, eps_}, *peers_);
      return activate(more.defined() ? y + more : y, activation);
    }
    const NormInTraining norm{x, more, weight_, bias_, running_mean_, running_var_, momentum_, eps_, activation};
    if (fuses(norm)) return fused_norm(norm);
  }
  at::Tensor y = folded_ ? x
                         : at::batch_norm(x, weight_, bias_, running_mean_, running_var_, is_training(), momentum_,
                                          eps_, at::globalContext().userEnabledCuDNN());
  if (more.defined()) y += more;
  return activate(y, activation);
}

at::Tensor conv_norm(const Conv2d& conv, BatchNorm2d& norm, const at::Tensor& x, Activation activation,
                     const at::Tensor& more) {
  if (norm.folded() && conv.frozen()) return conv.forward(x, activation, more);
  return norm.forward(conv.forward(x), activation, more);
}

bool BatchNorm2d::fold_into(Conv2d& conv) {
  if (is_training() || folded_ || conv.shape().out != weight_.size(0)) return false;
  const at::NoGradGuard no_grad;
  const at::Tensor scale = weight_ / (running_var_ + eps_).sqrt();
  const at::Tensor shift = bias_ - running_mean_ * scale;
  conv.weight().mul_(scale.view({-1, 1, 1, 1}));
  conv.bias() = conv.bias().defined() ? conv.bias() * scale + shift : shift;
  folded_ = true;
  return true;
}

}  // namespace nephron::nn
