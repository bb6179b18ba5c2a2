#include <nephron/nn/conv.hpp>

#include <cmath>
#include <optional>

#include <ATen/autocast_mode.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <nephron/error.hpp>
#include <nephron/nn/first_weights.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/upsampled_conv.hpp>

#include "frozen_conv.hpp"
#include "winograd_training.hpp"

namespace nephron::nn {

namespace {

std::int64_t receptive(const ConvShape& s) { return s.in / s.groups * s.kernel * s.kernel; }

void fill_uniform(at::Tensor& t, double bound) {
  if (WithoutFirstWeights::here()) return;
  const at::NoGradGuard no_grad;
  t.uniform_(-bound, bound);
}

void zero_bias(Conv2d& conv) {
  const at::NoGradGuard no_grad;
  if (conv.bias().defined()) conv.bias().zero_();
}

/// A depthwise convolution is bound by memory, and on a CPU its gradients take several times as long in bf16 as in
/// fp32.
bool trains_better_in_float(const ConvShape& s, const at::Tensor& x) {
  return s.groups > 1 && s.groups == s.in && x.is_cpu() && c10::GradMode::is_enabled() &&
         at::autocast::is_autocast_enabled(c10::kCPU);
}

}  // namespace

Conv2d::Conv2d(const ConvShape& shape) : Conv2d(shape, {shape.kernel / 2, shape.kernel / 2}) {}

Conv2d::Conv2d(const ConvShape& shape, Padding padding)
    : torch::nn::Module("Conv2d"), shape_(shape), padding_(padding) {
  if (shape.in <= 0 || shape.out <= 0 || shape.kernel <= 0 || shape.stride <= 0 || shape.groups <= 0 ||
      shape.in % shape.groups != 0 || shape.out % shape.groups != 0)
    throw Error("a convolution from " + std::to_string(shape.in) + " to " + std::to_string(shape.out) +
                " channels in " + std::to_string(shape.groups) + " groups, kernel " + std::to_string(shape.kernel) +
                ", stride " + std::to_string(shape.stride) +
                " cannot be made: all must be positive, and the groups divide the channels");
  weight_ = register_parameter("weight", at::empty({shape.out, shape.in / shape.groups, shape.kernel, shape.kernel}));
  if (shape.bias) bias_ = register_parameter("bias", at::empty({shape.out}));
  // torch.nn.Conv2d: He uniform with negative slope sqrt(5), which is 1 / sqrt(fan in) for weight and bias alike.
  const double bound = 1 / std::sqrt(static_cast<double>(receptive(shape)));
  fill_uniform(weight_, bound);
  if (shape.bias) fill_uniform(bias_, bound);
}

Conv2d::~Conv2d() = default;

at::Tensor Conv2d::forward(const at::Tensor& x, Activation activation, const at::Tensor& more) const {
  if (frozen_ != nullptr) return frozen_->forward(x, activation, more);
  at::Tensor y = convolved(x);
  if (more.defined()) y += more;
  return activate(y, activation);
}

at::Tensor Conv2d::forward_upsampled(const at::Tensor& x, const at::Tensor& skip, Activation activation) const {
  if (frozen_ != nullptr && frozen_->upsamples()) return frozen_->forward_upsampled(x, skip, activation);
  const TrainedConv conv{.map = x, .doubled = true, .joined = skip, .weight = weight_};
  at::Tensor y = trains_by_filtering(conv) ? filtered_conv(conv) : upsampled_conv3x3(x, skip, weight_);
  if (bias_.defined()) y = y + bias_.to(y.scalar_type()).view({1, -1, 1, 1});
  return activate(y, activation);
}

bool Conv2d::freeze(const Freezing& how) {
  if (is_training() || !weight_.is_cpu()) return false;
  frozen_ = FrozenConv::make({shape_, padding_, dilation_, weight_, bias_}, how);
  return frozen_ != nullptr;
}

at::Tensor Conv2d::convolved(const at::Tensor& x) const {
  const auto [before, after] = padding_;
  const bool minimal =
      shape_.kernel == 3 && shape_.stride == 1 && shape_.groups == 1 && dilation_ == 1 && before == 1 && after == 1;
  if (const TrainedConv conv{.map = x, .weight = weight_}; minimal && trains_by_filtering(conv)) {
    const at::Tensor y = filtered_conv(conv);
    return bias_.defined() ? y + bias_.to(y.scalar_type()).view({1, -1, 1, 1}) : y;
  }
  const bool even = before == after;
  // conv2d pads both ends alike at no cost; uneven padding has to be written out.
  at::Tensor padded = even ? x : at::constant_pad_nd(x, {before, after, before, after});
  const std::int64_t padding = even ? before : 0;
  std::optional<c10::impl::ExcludeDispatchKeyGuard> no_autocast;
  if (trains_better_in_float(shape_, x)) {
    no_autocast.emplace(c10::DispatchKey::AutocastCPU);
    padded = padded.to(c10::kFloat);
  }
  const at::Tensor y = at::conv2d(padded, weight_, bias_, at::IntArrayRef(shape_.stride), at::IntArrayRef(padding),
                                  at::IntArrayRef(dilation_), shape_.groups);
  return no_autocast ? y.to(at::autocast::get_autocast_dtype(c10::kCPU)) : y;  // what follows keeps maps of that type
}

void Conv2d::dilate(std::int64_t dilation) {
  shape_.stride = 1;
  dilation_ = dilation;
  const std::int64_t lost = dilation * (shape_.kernel - 1);  // of an even kernel it may be odd: more at the end
  padding_ = {lost / 2, lost - lost / 2};
}

void dilate(torch::nn::Module& module, std::int64_t dilation) {
  for (const auto& m : module.modules())
    if (auto* conv = dynamic_cast<Conv2d*>(m.get())) conv->dilate(dilation);
}

void init_kaiming_normal_fan_out(Conv2d& conv) {
  const ConvShape& s = conv.shape();
  // torch counts the outputs of one group's kernel as weight.size(0) * k * k, whatever the groups.
  const double deviation = std::sqrt(2.0 / static_cast<double>(s.out * s.kernel * s.kernel));
  if (!WithoutFirstWeights::here()) {
    const at::NoGradGuard no_grad;
    conv.weight().normal_(0, deviation);
  }
  zero_bias(conv);
}

void init_kaiming_uniform_fan_in(Conv2d& conv) {
  fill_uniform(conv.weight(), std::sqrt(6.0 / static_cast<double>(receptive(conv.shape()))));
  zero_bias(conv);
}

void init_xavier_uniform(Conv2d& conv) {
  const ConvShape& s = conv.shape();
  const std::int64_t fans = receptive(s) + s.out * s.kernel * s.kernel;
  fill_uniform(conv.weight(), std::sqrt(6.0 / static_cast<double>(fans)));
  zero_bias(conv);
}

void init_truncated_normal(const at::Tensor& weights, double deviation, double mean, double low, double high) {
  if (WithoutFirstWeights::here()) return;
  const auto below = [&](double x) { return (1 + std::erf((x - mean) / deviation / std::sqrt(2.0))) / 2; };
  const at::NoGradGuard no_grad;
  // Uniform in the part of the distribution function that is kept, then its inverse. The clamp is for rounding.
  at::Tensor t = weights;
  t.uniform_(2 * below(low) - 1, 2 * below(high) - 1).erfinv_().mul_(deviation * std::sqrt(2.0)).add_(mean);
  t.clamp_(low, high);
}

void init_convs(torch::nn::Module& module, void (*init)(Conv2d&)) {
  for (const auto& m : module.modules())
    if (auto* conv = dynamic_cast<Conv2d*>(m.get())) init(*conv);
}

}  // namespace nephron::nn
