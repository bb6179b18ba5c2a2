#include <nephron/nn/group_norm.hpp>

#include <ATen/Context.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <nephron/error.hpp>

namespace nephron::nn {

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, double eps)
    : torch::nn::Module("GroupNorm"), groups_(groups), eps_(eps) {
  if (groups <= 0 || channels <= 0 || channels % groups != 0)
    throw Error("group normalisation needs a number of channels that its " + std::to_string(groups) +
                " groups divide, and got " + std::to_string(channels));
  weight_ = register_parameter("weight", at::ones({channels}));
  bias_ = register_parameter("bias", at::zeros({channels}));
}

GroupNorm::~GroupNorm() = default;

at::Tensor GroupNorm::forward(const at::Tensor& x) const {
  return at::group_norm(x, groups_, weight_, bias_, eps_, at::globalContext().userEnabledCuDNN());
}

}  // namespace nephron::nn
