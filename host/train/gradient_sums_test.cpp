// Ranks in threads of one process, in double precision.
#include <host/train/gradient_sums.hpp>

#include <gtest/gtest.h>

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>

#include <tests/support/rank_threads.hpp>

namespace nephron::host {
namespace {

constexpr std::int64_t side = 16;
constexpr std::int64_t one_parameter = side * side * static_cast<std::int64_t>(sizeof(double));

/// A chain of matrices, of which each rank has its own copy; `first` is added to the result besides.
struct Chain {
  explicit Chain(const std::vector<at::Tensor>& weights) {
    for (const at::Tensor& w : weights) parameters.push_back(w.clone().set_requires_grad(true));
  }
  at::Tensor loss(at::Tensor x) const {
    for (const at::Tensor& w : parameters)
      if (w.requires_grad()) x = x.matmul(w).tanh();
    return x.sum();
  }
  std::vector<at::Tensor> gradients() const {
    std::vector<at::Tensor> out;
    for (const at::Tensor& p : parameters)
      if (p.grad().defined()) out.push_back(p.grad());
    return out;
  }
  std::vector<at::Tensor> parameters;
};

class GradientSumsTest : public testing::Test {
 protected:
  GradientSumsTest() {
    for (int i = 0; i < 6; ++i) weights_.push_back(at::randn({side, side}, at::kDouble) * 0.3);
    for (int i = 0; i < 6; ++i) inputs_.push_back(at::randn({4, side}, at::kDouble));
  }
  /// What the sums have to be: of every input's gradient.
  std::vector<at::Tensor> expected(std::size_t inputs, int frozen = -1) const {
    const Chain all(weights_);
    if (frozen >= 0) all.parameters[static_cast<std::size_t>(frozen)].set_requires_grad(false);
    for (std::size_t i = 0; i < inputs; ++i) all.loss(inputs_[i]).backward();
    return all.gradients();
  }
  static void expect_close(const std::vector<at::Tensor>& found, const std::vector<at::Tensor>& wanted) {
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(at::allclose(found[i], wanted[i], 1e-10, 1e-12)) << i;
  }
  std::vector<at::Tensor> weights_, inputs_;
};

TEST_F(GradientSumsTest, AreThoseOfOneProcessAndLeaveEarly) {
  const auto wanted = expected(3);
  run_ranks(3, [&](const Ranks& ranks) {
    Chain own(weights_);
    GradientSums sums(ranks, own.parameters, 2 * one_parameter);  // three buckets
    for (int step = 0; step < 2; ++step) {
      for (at::Tensor& p : own.parameters) p.mutable_grad() = at::Tensor();
      sums.begin();
      own.loss(inputs_[static_cast<std::size_t>(ranks.rank())]).backward();
      EXPECT_EQ(sums.early(), 3);
      sums.finish(own.gradients());
      expect_close(own.gradients(), wanted);
    }
  });
}

TEST_F(GradientSumsTest, OfSeveralBackwardPassesTheLastSends) {
  const auto wanted = expected(4);
  run_ranks(2, [&](const Ranks& ranks) {
    Chain own(weights_);
    GradientSums sums(ranks, own.parameters, one_parameter);
    const std::size_t first = 2 * static_cast<std::size_t>(ranks.rank());
    own.loss(inputs_[first]).backward();
    EXPECT_EQ(sums.early(), 0);
    sums.begin();
    own.loss(inputs_[first + 1]).backward();
    sums.finish(own.gradients());
    expect_close(own.gradients(), wanted);
  });
}

TEST_F(GradientSumsTest, WhatIsFrozenOrGetsNoGradientKeepsNobodyWaiting) {
  const auto wanted = expected(2, /*frozen=*/4);
  run_ranks(2, [&](const Ranks& ranks) {
    Chain own(weights_);
    own.parameters[4].set_requires_grad(false);
    std::vector<at::Tensor> all = own.parameters;
    all.push_back(at::full({side, side}, 1.0, at::kDouble).set_requires_grad(true));  // which nothing comes to
    GradientSums sums(ranks, all, one_parameter);
    sums.begin();
    own.loss(inputs_[static_cast<std::size_t>(ranks.rank())]).backward();
    EXPECT_EQ(sums.early(), 0) << "buckets leave in their order";
    sums.finish(own.gradients());
    expect_close(own.gradients(), wanted);
    EXPECT_FALSE(all.back().grad().defined());
    // Frozen alone, it is no reason to wait.
    GradientSums without(ranks, own.parameters, one_parameter);
    for (at::Tensor& p : own.parameters) p.mutable_grad() = at::Tensor();
    without.begin();
    own.loss(inputs_[static_cast<std::size_t>(ranks.rank())]).backward();
    EXPECT_EQ(without.early(), 6);
    without.finish(own.gradients());
    expect_close(own.gradients(), wanted);
  });
}

TEST_F(GradientSumsTest, WithoutABeginningAllIsSentAtTheEnd) {
  const auto wanted = expected(2);
  run_ranks(2, [&](const Ranks& ranks) {
    Chain own(weights_);
    GradientSums sums(ranks, own.parameters);
    own.loss(inputs_[static_cast<std::size_t>(ranks.rank())]).backward();
    sums.finish(own.gradients());
    expect_close(own.gradients(), wanted);
  });
}

}  // namespace
}  // namespace nephron::host
