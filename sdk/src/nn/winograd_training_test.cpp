#include "winograd_training.hpp"

#include <cmath>
#include <ostream>

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <gtest/gtest.h>

#include "winograd_tiles.hpp"

namespace nephron::nn {
namespace {

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

struct Case {
  std::int64_t n, height, width, channels, joined, outputs;  ///< sides of what comes out
  bool doubled;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.n << " x " << c.height << " x " << c.width << ", " << c.channels << " + " << c.joined << " to " << c.outputs
       << (c.doubled ? " doubled" : "");
}

struct Leaves {
  at::Tensor map, joined, weight, gradient;
};

Leaves leaves_of(const Case& c) {
  const std::int64_t scale = c.doubled ? 2 : 1, all = c.channels + c.joined;
  const auto map = [](std::int64_t n, std::int64_t channels, std::int64_t h, std::int64_t w) {
    return at::relu(at::randn({n, channels, h, w})).contiguous(channels_last);
  };
  Leaves out;
  out.map = map(c.n, c.channels, c.height / scale, c.width / scale);
  if (c.joined > 0) out.joined = map(c.n, c.joined, c.height, c.width);
  out.weight =
      (at::randn({c.outputs, all, 3, 3}) / (3 * std::sqrt(static_cast<double>(all)))).contiguous(channels_last);
  out.gradient = at::randn({c.n, c.outputs, c.height, c.width}).contiguous(channels_last);
  return out;
}

struct Results {
  at::Tensor y, of_map, of_joined, of_weight;
};

template <class Convolve>
Results results_of(const Leaves& from, c10::ScalarType type, const Convolve& convolve) {
  const auto leaf = [](const at::Tensor& t, c10::ScalarType as) {
    return t.defined() ? t.to(as).detach().requires_grad_(true) : t;
  };
  const at::Tensor map = leaf(from.map, type), joined = leaf(from.joined, type);
  const at::Tensor weight = leaf(from.weight, type == at::kDouble ? at::kDouble : at::kFloat);
  const at::Tensor y = convolve(map, joined, weight);
  y.backward(from.gradient.to(y.scalar_type()));
  return {y.detach(), map.grad(), joined.defined() ? joined.grad() : joined, weight.grad()};
}

/// By its definition.
at::Tensor plain(const at::Tensor& map, const at::Tensor& joined, const at::Tensor& weight, bool doubled) {
  at::Tensor x = doubled ? at::upsample_nearest2d(map, {2 * map.size(2), 2 * map.size(3)}) : map;
  if (joined.defined()) x = at::cat({x, joined}, 1);
  return at::conv2d(x, weight, {}, 1, 1);
}

/// Greatest difference, as a share of the greatest value.
double apart(const at::Tensor& a, const at::Tensor& exact) {
  return ((a.to(at::kDouble) - exact).abs().max() / exact.abs().max()).item<double>();
}

class WinogradTraining : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (tile_kernels() == nullptr) GTEST_SKIP() << "this processor has no kernels";
    at::manual_seed(5);
  }
};

TEST_P(WinogradTraining, IsTheConvolutionWithItsGradients) {
  const Case& c = GetParam();
  const Leaves leaves = leaves_of(c);
  ASSERT_TRUE(trains_by_filtering({leaves.map, c.doubled, leaves.joined, leaves.weight}));
  const auto ours = [&](const at::Tensor& map, const at::Tensor& joined, const at::Tensor& weight) {
    return filtered_conv({map, c.doubled, joined, weight});
  };
  const auto exactly = [&](const at::Tensor& map, const at::Tensor& joined, const at::Tensor& weight) {
    return plain(map, joined, weight, c.doubled);
  };
  const Results exact = results_of(leaves, at::kDouble, exactly);
  // Floats: ten times what was seen. bfloat16 rounds what comes out, and reads maps that were rounded: 2^-9 each, of
  // sums over thousands of products that errors of both signs enter.
  for (const auto& [type, allowed] : {std::pair{at::kFloat, 5e-6}, std::pair{at::kBFloat16, 1e-2}}) {
    const Results r = results_of(leaves, type, ours);
    EXPECT_EQ(r.y.scalar_type(), type);
    EXPECT_TRUE(r.y.is_contiguous(channels_last));
    EXPECT_EQ(r.of_weight.scalar_type(), at::kFloat);
    EXPECT_LT(apart(r.y, exact.y), allowed);
    EXPECT_LT(apart(r.of_map, exact.of_map), allowed);
    if (c.joined > 0) {
      EXPECT_LT(apart(r.of_joined, exact.of_joined), allowed);
    }
    EXPECT_LT(apart(r.of_weight, exact.of_weight), allowed);
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, WinogradTraining,
                         ::testing::Values(Case{4, 16, 16, 16, 0, 16, false}, Case{8, 13, 18, 32, 0, 48, false},
                                           Case{1, 40, 40, 64, 0, 16, false}, Case{4, 20, 24, 32, 0, 32, true},
                                           Case{2, 24, 24, 32, 16, 32, true}, Case{3, 30, 34, 48, 0, 64, true},
                                           Case{2, 32, 32, 128, 64, 80, true}, Case{6, 64, 64, 16, 0, 32, false},
                                           Case{4, 20, 28, 40, 0, 48, false},  // some of a vector
                                           Case{2, 24, 28, 32, 24, 32, true}, Case{2, 24, 24, 96, 3, 48, true}));

TEST(WinogradTrainingOf, OneInputLeavesTheOthersAlone) {
  if (tile_kernels() == nullptr) GTEST_SKIP() << "this processor has no kernels";
  const Leaves leaves = leaves_of({4, 16, 16, 16, 0, 16, false});
  const at::Tensor weight = leaves.weight.detach().requires_grad_(true);
  filtered_conv({leaves.map, false, {}, weight}).backward(leaves.gradient);
  EXPECT_TRUE(weight.grad().defined());
  EXPECT_FALSE(leaves.map.grad().defined());
  const at::Tensor map = leaves.map.detach().requires_grad_(true);
  filtered_conv({map, false, {}, leaves.weight}).backward(leaves.gradient);
  EXPECT_TRUE(map.grad().defined());
}

/// The bits do not depend on which thread does what.
TEST(WinogradTrainingOf, TwoRunsAreTheSameBits) {
  if (tile_kernels() == nullptr) GTEST_SKIP() << "this processor has no kernels";
  const Leaves leaves = leaves_of({8, 32, 32, 32, 16, 32, true});
  const auto ours = [](const at::Tensor& map, const at::Tensor& joined, const at::Tensor& weight) {
    return filtered_conv({map, true, joined, weight});
  };
  const Results a = results_of(leaves, at::kFloat, ours), b = results_of(leaves, at::kFloat, ours);
  EXPECT_TRUE(a.y.equal(b.y) && a.of_map.equal(b.of_map) && a.of_joined.equal(b.of_joined) &&
              a.of_weight.equal(b.of_weight));
}

TEST(WinogradTrainingOf, WeightsMayLieInAnyOrder) {
  if (tile_kernels() == nullptr) GTEST_SKIP() << "this processor has no kernels";
  Leaves leaves = leaves_of({4, 16, 16, 40, 0, 48, false});
  const auto ours = [](const at::Tensor& map, const at::Tensor& joined, const at::Tensor& weight) {
    return filtered_conv({map, false, joined, weight});
  };
  const Results a = results_of(leaves, at::kFloat, ours);
  leaves.weight = leaves.weight.contiguous();
  const Results b = results_of(leaves, at::kFloat, ours);
  EXPECT_TRUE(a.y.equal(b.y) && a.of_map.equal(b.of_map) && a.of_weight.equal(b.of_weight));
}

TEST(WinogradTrainingOf, IsNotForOtherTypesChannelsOrFewTiles) {
  const auto suits = [](std::int64_t side, std::int64_t channels, std::int64_t outputs, c10::ScalarType type) {
    return trains_by_filtering({.map = at::randn({2, channels, side, side}).to(type),
                                .weight = at::randn({outputs, channels, 3, 3}).to(type)});
  };
  EXPECT_FALSE(suits(64, 3, 16, at::kFloat));
  EXPECT_FALSE(suits(64, 16, 2, at::kFloat));
  EXPECT_FALSE(suits(8, 16, 16, at::kFloat));
  EXPECT_FALSE(suits(64, 16, 16, at::kDouble));
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(suits(64, 16, 16, at::kFloat));
}

}  // namespace
}  // namespace nephron::nn
