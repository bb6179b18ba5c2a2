// Batch normalisation with what follows it, beside the single operations in double precision.
#include <cmath>
#include <tuple>

#include <ATen/Parallel.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <nephron/nn/batch_norm.hpp>

#include "norm_rows.hpp"

namespace nephron::nn {
namespace {

struct Case {
  std::int64_t n, c, h, w;
  Activation activation;
  bool more;
};

at::Tensor activated(const at::Tensor& z, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return at::relu(z);
    case Activation::relu6:
      return at::hardtanh(z, 0, 6);
    case Activation::silu:
      return at::silu(z);
    default:
      return z;
  }
}

/// Largest difference, of the largest value.
double off(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.detach().to(at::kDouble), y = b.detach().to(at::kDouble);
  return (x - y).abs().max().item<double>() / std::max(1e-12, y.abs().max().item<double>());
}

struct Results {
  at::Tensor y, of_x, of_more, of_weight, of_bias, mean, var;
};

class EachMap : public testing::TestWithParam<std::tuple<Case, at::ScalarType>> {
 protected:
  EachMap() : config_(std::get<0>(GetParam())), type_(std::get<1>(GetParam())) {
    const auto map = [&] {
      const at::Tensor t = at::randn({config_.n, config_.c, config_.h, config_.w}).to(type_);
      return t.contiguous(at::MemoryFormat::ChannelsLast);
    };
    x_ = map().mul_(2).add_(5), more_ = map(), g_ = map();
    weight_ = at::randn({config_.c}), bias_ = at::randn({config_.c});
    // At the kinks of an activation, rounding decides which gradient there is.
    const double near = type_ == at::kFloat ? 1e-4 : 0.06;
    const at::Tensor z = normalised(x_.to(at::kDouble), more_.to(at::kDouble));
    g_.masked_fill_((z.abs() < near).logical_or((z - 6).abs() < near), 0);
  }

  at::Tensor normalised(const at::Tensor& x, const at::Tensor& more) const {
    const at::Tensor z =
        at::batch_norm(x, weight_.to(at::kDouble), bias_.to(at::kDouble), {}, {}, true, 0.3, 1e-3, false);
    return config_.more ? z + more : z;
  }

  Results ours() const {
    BatchNorm2d norm(config_.c, 1e-3, 0.3);
    {
      const at::NoGradGuard no_grad;
      norm.named_parameters()["weight"].copy_(weight_);
      norm.named_parameters()["bias"].copy_(bias_);
    }
    const at::Tensor x = x_.clone().set_requires_grad(true), more = more_.clone().set_requires_grad(true);
    const at::Tensor y = norm.forward(x, config_.activation, config_.more ? more : at::Tensor());
    y.backward(g_);
    return {y,
            x.grad(),
            more.grad(),
            norm.named_parameters()["weight"].grad(),
            norm.named_parameters()["bias"].grad(),
            norm.named_buffers()["running_mean"],
            norm.named_buffers()["running_var"]};
  }
  Results plain() const {
    const auto as_double = [](const at::Tensor& t) { return t.to(at::kDouble).set_requires_grad(true); };
    const at::Tensor x = as_double(x_), more = as_double(more_), weight = as_double(weight_), bias = as_double(bias_);
    const at::Tensor mean = at::zeros({config_.c}, at::kDouble), var = at::ones({config_.c}, at::kDouble);
    at::Tensor z = at::batch_norm(x, weight, bias, mean, var, true, 0.3, 1e-3, false);
    if (config_.more) z = z + more;
    const at::Tensor y = activated(z, config_.activation);
    y.backward(g_.to(at::kDouble));
    return {y, x.grad(), more.grad(), weight.grad(), bias.grad(), mean, var};
  }

  Case config_;
  at::ScalarType type_;
  at::Tensor x_, more_, g_, weight_, bias_;
};

TEST_P(EachMap, EqualsTheSingleOperations) {
  const Results a = ours(), b = plain();
  const double tolerance = type_ == at::kFloat ? 1e-5 : 1e-2;
  EXPECT_LT(off(a.y, b.y), tolerance);
  EXPECT_LT(off(a.of_x, b.of_x), tolerance);
  EXPECT_LT(off(a.of_weight, b.of_weight), tolerance);
  EXPECT_LT(off(a.of_bias, b.of_bias), tolerance);
  // Sums of a run of rows are in single precision.
  EXPECT_LT(off(a.mean, b.mean), 2e-6);
  EXPECT_LT(off(a.var, b.var), 2e-6);
  EXPECT_EQ(a.of_more.defined(), config_.more);
  if (config_.more) {
    EXPECT_LT(off(a.of_more, b.of_more), tolerance);
  }
  EXPECT_EQ(a.y.scalar_type(), type_);
  EXPECT_TRUE(a.of_x.is_contiguous(at::MemoryFormat::ChannelsLast));
}

INSTANTIATE_TEST_SUITE_P(Maps, EachMap,
                         testing::Combine(testing::Values(Case{2, 16, 9, 7, Activation::relu, false},
                                                          Case{3, 5, 4, 4, Activation::relu, true},
                                                          Case{2, 70, 8, 8, Activation::relu6, false},
                                                          Case{1, 64, 16, 16, Activation::relu6, true},
                                                          Case{2, 33, 5, 6, Activation::silu, false},
                                                          Case{4, 8, 1, 1, Activation::none, true},
                                                          Case{2, 3, 40, 300, Activation::none, false}),
                                          testing::Values(at::kFloat, at::kBFloat16)));

TEST(FusedNorm, GivesTheSameBitsForAnyNumberOfThreads) {
  const at::Tensor x = at::randn({2, 24, 64, 64}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor g = at::randn_like(x);
  std::vector<at::Tensor> gradients;
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 1}) {
    at::set_num_threads(threads);
    BatchNorm2d norm(24);
    const at::Tensor leaf = x.clone().set_requires_grad(true);
    norm.forward(leaf, Activation::relu).backward(g);
    gradients.push_back(leaf.grad());
  }
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(gradients[0], gradients[1]));
  EXPECT_TRUE(at::equal(gradients[0], gradients[2]));
}

TEST(FusedNorm, WhatItCannotTakeIsDoneStepByStep) {
  const at::Tensor rows = at::randn({2, 8, 5, 5});  // not channels_last
  BatchNorm2d one(8), two(8);
  const at::Tensor y = one.forward(rows, Activation::relu, rows);
  EXPECT_LT(off(y, two.forward(rows.contiguous(at::MemoryFormat::ChannelsLast), Activation::relu, rows)), 1e-5);
  one.eval(), two.eval();
  EXPECT_LT(off(one.forward(rows.clone(), Activation::gelu, rows), at::gelu(two.forward(rows) + rows)), 1e-6);
}

TEST(FusedNorm, NoNumberStaysNone) {
  for (const Activation activation : {Activation::none, Activation::relu, Activation::relu6, Activation::silu}) {
    at::Tensor x = at::randn({2, 4, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
    x[0][1][0][0] = std::nan("");
    BatchNorm2d norm(4);
    const at::Tensor y = norm.forward(x, activation);
    EXPECT_TRUE(y.select(1, 1).isnan().all().item<bool>());
    EXPECT_FALSE(y.select(1, 0).isnan().any().item<bool>());
  }
}

/// Every set of instructions that this processor has gives what the plain one gives.
TEST(NormRows, InstructionsAgree) {
  std::vector<const NormRows*> sets;
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.push_back(&norm_rows_avx2);
  if (__builtin_cpu_supports("avx512f")) sets.push_back(&norm_rows_avx512);
#endif
  constexpr std::int64_t rows = 9, channels = 75;
  const at::Tensor x = at::randn({rows, channels}), more = at::randn({rows, channels}), g = at::randn({rows, channels}),
                   values = at::randn({5, channels});
  const float* v = values.const_data_ptr<float>();
  for (const auto activation : {RowActivation::none, RowActivation::relu, RowActivation::relu6, RowActivation::silu})
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      const at::Tensor in = x.to(type), add = more.to(type), gradient = g.to(type);
      const RowType row_type = type == at::kFloat ? RowType::float32 : RowType::bfloat16;
      const NormParameters p{channels, v, v + channels, v + 2 * channels, activation};
      const auto all_of = [&](const NormRows& set) {
        const at::Tensor y = at::zeros_like(in), of_x = at::zeros_like(in), of_more = at::zeros_like(in);
        const at::Tensor sums = at::zeros({2, 2, channels});
        auto* s = sums.mutable_data_ptr<float>();
        set.statistics(row_type, in.const_data_ptr(), rows, channels, p.mean, s);
        set.forward(row_type, p, in.const_data_ptr(), add.const_data_ptr(), y.mutable_data_ptr(), rows);
        set.reduce(row_type, p, in.const_data_ptr(), nullptr, gradient.const_data_ptr(), rows, s + 2 * channels);
        set.backward(row_type, p, in.const_data_ptr(), nullptr, gradient.const_data_ptr(), v + 3 * channels,
                     v + 4 * channels, of_x.mutable_data_ptr(), of_more.mutable_data_ptr(), rows);
        return std::vector{y, of_x, of_more, sums};
      };
      const auto expected = all_of(norm_rows_plain);
      for (const NormRows* set : sets) {
        const auto got = all_of(*set);
        for (std::size_t i = 0; i < got.size(); ++i)
          EXPECT_LT(off(got[i], expected[i]), type == at::kFloat ? 1e-6 : 8e-3) << i;
      }
    }
}

}  // namespace
}  // namespace nephron::nn
