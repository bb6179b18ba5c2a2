#include <nephron/nn/layer_norm.hpp>

#include <ATen/Context.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <nephron/error.hpp>

namespace nephron::nn {

namespace {

std::int64_t at_least_one(std::int64_t channels) {
  if (channels <= 0) throw Error("layer normalisation needs at least one channel, and got " + std::to_string(channels));
  return channels;
}

at::Tensor over_last(const at::Tensor& x, std::int64_t channels, const at::Tensor& weight, const at::Tensor& bias,
                     double eps) {
  return at::layer_norm(x, at::IntArrayRef(channels), weight, bias, eps, at::globalContext().userEnabledCuDNN());
}

}  // namespace

LayerNorm::LayerNorm(std::int64_t channels, double eps)
    : torch::nn::Module("LayerNorm"), channels_(at_least_one(channels)), eps_(eps) {
  weight_ = register_parameter("weight", at::ones({channels}));
  bias_ = register_parameter("bias", at::zeros({channels}));
}

LayerNorm::~LayerNorm() = default;

at::Tensor LayerNorm::forward(const at::Tensor& x) const { return over_last(x, channels_, weight_, bias_, eps_); }

LayerNorm2d::LayerNorm2d(std::int64_t channels, double eps)
    : torch::nn::Module("LayerNorm2d"), channels_(at_least_one(channels)), eps_(eps) {
  weight_ = register_parameter("weight", at::ones({channels}));
  bias_ = register_parameter("bias", at::zeros({channels}));
}

LayerNorm2d::~LayerNorm2d() = default;

at::Tensor LayerNorm2d::forward(const at::Tensor& x) const {
  return over_last(x.permute({0, 2, 3, 1}), channels_, weight_, bias_, eps_).permute({0, 3, 1, 2});
}

}  // namespace nephron::nn
