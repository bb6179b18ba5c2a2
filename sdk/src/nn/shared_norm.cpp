#include "shared_norm.hpp"

#include <cstdint>

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/var_mean.h>
#include <torch/csrc/autograd/custom_function.h>

namespace nephron::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t all_but_channels[] = {0, 2, 3};

at::Tensor across(const at::Tensor& of_channels) { return of_channels.view({1, -1, 1, 1}); }

struct Statistics {
  at::Tensor mean, var;  ///< [C] double; the variance of the batch itself
  at::Tensor count;      ///< values of a channel: stays on the device, which nobody waits for
};

/// Of the values of all processes, of their own means and variances (Chan et al. 1979): the sum of squares about a mean
/// loses nothing where the mean is large.
Statistics statistics_of(const at::Tensor& x, const BatchPeers& peers) {
  const auto [own_var, own_mean] = at::var_mean(x, all_but_channels, /*correction=*/0, /*keepdim=*/false);
  const std::int64_t own_count = x.numel() / x.size(1);
  const at::Tensor all =
      peers.gather(at::cat({own_mean.to(c10::kDouble), own_var.to(c10::kDouble),
                            at::full({1}, static_cast<double>(own_count), own_mean.options().dtype(c10::kDouble))}));
  const std::int64_t channels = x.size(1);
  const at::Tensor mean = all.narrow(1, 0, channels), var = all.narrow(1, channels, channels);
  const at::Tensor counts = all.narrow(1, 2 * channels, 1);
  Statistics out;
  out.count = counts.sum();
  out.mean = (mean * counts).sum(0) / out.count;
  out.var = ((var + (mean - out.mean).square()) * counts).sum(0) / out.count;
  return out;
}

struct SharedNormFunction : torch::autograd::Function<SharedNormFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& var,
                            const at::Tensor& count, double eps, std::int64_t peers) {
    context->save_for_backward({x, weight, mean, var, count});
    context->saved_data["eps"] = eps;
    context->saved_data["peers"] = peers;
    return at::batch_norm(x, weight, bias, mean.to(weight.scalar_type()), var.to(weight.scalar_type()),
                          /*training=*/false, 0, eps, /*cudnn_enabled=*/false);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor x = saved[0].to(saved[1].scalar_type()), &weight = saved[1];
    const at::Tensor gradient = gradients[0].to(weight.scalar_type());
    const at::Tensor scale = (saved[3] + context->saved_data["eps"].toDouble()).rsqrt().to(weight.scalar_type());
    const at::Tensor normalised = (x - across(saved[2].to(weight.scalar_type()))) * across(scale);
    const at::Tensor of_bias = gradient.sum(all_but_channels, false, c10::kDouble);
    const at::Tensor of_weight = (gradient * normalised).sum(all_but_channels, false, c10::kDouble);
    // The input's gradient depends on all values; weights get theirs of the own batch, and are summed with all others.
    const at::Tensor all = at::cat({of_bias, of_weight});
    reinterpret_cast<const BatchPeers*>(context->saved_data["peers"].toInt())->sum(all);
    const at::Tensor means = (all / saved[4]).to(weight.scalar_type());
    const std::int64_t channels = weight.size(0);
    const at::Tensor of_x =
        (gradient - across(means.narrow(0, 0, channels)) - normalised * across(means.narrow(0, channels, channels))) *
        across(scale * weight);
    return {of_x.to(saved[0].scalar_type()),
            of_weight.to(weight.scalar_type()),
            of_bias.to(weight.scalar_type()),
            {},
            {},
            {},
            {},
            {}};
  }
};

}  // namespace

at::Tensor shared_norm(const SharedNorm& norm, const BatchPeers& peers) {
  Statistics of_all;
  {
    const at::NoGradGuard no_grad;
    of_all = statistics_of(norm.x, peers);
    const auto type = norm.running_mean.scalar_type();
    norm.running_mean.mul_(1 - norm.momentum).add_(of_all.mean.to(type), norm.momentum);
    const at::Tensor unbiased = of_all.count / (of_all.count - 1).clamp_min(1);
    norm.running_var.mul_(1 - norm.momentum).add_((of_all.var * unbiased).to(type), norm.momentum);
  }
  return SharedNormFunction::apply(norm.x, norm.weight, norm.bias, of_all.mean, of_all.var, of_all.count, norm.eps,
                                   static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(&peers)));
}

}  // namespace nephron::nn
