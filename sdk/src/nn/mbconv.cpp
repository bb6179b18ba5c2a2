#include <nephron/nn/mbconv.hpp>

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/sigmoid.h>

namespace nephron::nn {

MBConv::MBConv(const MBConvShape& s) : torch::nn::Module("MBConv"), shape_(s) {
  const auto conv = [this](const char* name, const ConvShape& shape, Padding padding = {}) {
    return register_module(name, std::make_shared<Conv2d>(shape, padding));
  };
  const auto norm = [&](const char* name, std::int64_t channels) {
    return register_module(name, std::make_shared<BatchNorm2d>(channels, s.eps, s.momentum));
  };
  const std::int64_t wide = s.in * s.expansion;
  if (s.expansion != 1) {
    expand_ = conv("_expand_conv", {.in = s.in, .out = wide});
    norm0_ = norm("_bn0", wide);
  }
  depthwise_ = conv("_depthwise_conv",
                    {.in = wide, .out = wide, .kernel = s.kernel, .stride = s.stride, .groups = wide}, s.padding);
  norm1_ = norm("_bn1", wide);
  if (s.squeezed > 0) {
    se_reduce_ = conv("_se_reduce", {.in = wide, .out = s.squeezed, .bias = true});
    se_expand_ = conv("_se_expand", {.in = s.squeezed, .out = wide, .bias = true});
  }
  project_ = conv("_project_conv", {.in = wide, .out = s.out});
  norm2_ = norm("_bn2", s.out);
}

MBConv::~MBConv() = default;

at::Tensor MBConv::forward(const at::Tensor& input, const at::Tensor& branch_scale) {
  at::Tensor x = input;
  if (expand_ != nullptr) x = conv_norm(*expand_, *norm0_, x, shape_.activation);
  x = conv_norm(*depthwise_, *norm1_, x, shape_.activation);
  if (se_reduce_ != nullptr) {
    const at::Tensor pooled = at::adaptive_avg_pool2d(x, {1, 1});
    x = at::sigmoid(se_expand_->forward(se_reduce_->forward(pooled, shape_.activation))) * x;
  }
  if (!residual()) return conv_norm(*project_, *norm2_, x, Activation::none);
  if (branch_scale.defined()) return conv_norm(*project_, *norm2_, x, Activation::none) * branch_scale + input;
  return conv_norm(*project_, *norm2_, x, Activation::none, input);
}

}  // namespace nephron::nn
