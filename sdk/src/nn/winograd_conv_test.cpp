#include "winograd_conv.hpp"

#include <cmath>
#include <ostream>

#include <ATen/Context.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

namespace nephron::nn {
namespace {

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

at::Tensor map(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
  return at::relu(at::randn({n, c, h, w})).contiguous(channels_last);
}

struct Case {
  std::int64_t n, height, width, channels, joined, outputs;
  bool doubled, adds, relu;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.n << " x " << c.height << " x " << c.width << ", " << c.channels << " + " << c.joined << " to " << c.outputs
       << (c.doubled ? " doubled" : "") << (c.adds ? " sum" : "") << (c.relu ? " relu" : "");
}

class WinogradConvTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (tile_kernels() == nullptr) GTEST_SKIP() << "this processor has no kernels";
    at::manual_seed(3);
  }
};

/// The same convolution by its definition, in double.
at::Tensor expected(const WinogradConv::Input& in, const at::Tensor& weight, const at::Tensor& bias) {
  at::Tensor x = in.map.to(at::kDouble).contiguous();
  if (in.doubled) x = at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  if (in.joined.defined()) x = at::cat({x, in.joined.to(at::kDouble)}, 1);
  at::Tensor y = at::conv2d(x, weight.to(at::kDouble), bias.to(at::kDouble), 1, 1);
  if (in.more.defined()) y = y + in.more.to(at::kDouble);
  return in.relu ? at::relu(y) : y;
}

WinogradConv::Input input_of(const Case& c) {
  WinogradConv::Input in;
  const std::int64_t scale = c.doubled ? 2 : 1;
  in.map = map(c.n, c.channels, c.height / scale, c.width / scale);
  in.doubled = c.doubled;
  if (c.joined > 0) in.joined = map(c.n, c.joined, c.height, c.width);
  if (c.adds) in.more = at::randn({c.n, c.outputs, c.height, c.width}).contiguous(channels_last);
  in.relu = c.relu;
  return in;
}

TEST_P(WinogradConvTest, IsTheConvolution) {
  const c10::InferenceMode inference;
  const Case& c = GetParam();
  const std::int64_t channels = c.channels + c.joined;
  const at::Tensor weight = at::randn({c.outputs, channels, 3, 3}) / (3 * std::sqrt(static_cast<double>(channels)));
  const at::Tensor bias = at::randn({c.outputs});
  ASSERT_TRUE(WinogradConv::suits(weight));
  const WinogradConv conv(weight, bias);
  WinogradConv::Input in = input_of(c);
  const at::Tensor y = conv.forward(in);
  EXPECT_TRUE(y.is_contiguous(channels_last));
  // Values are of size 1. In floats 1e-5 is some ten times what was seen over all of these.
  EXPECT_LT((y - expected(in, weight, bias)).abs().max().item<double>(), 1e-5);

  for (at::Tensor* t : {&in.map, &in.joined, &in.more})
    if (t->defined()) *t = t->to(at::kBFloat16);
  const at::Tensor z = conv.forward(in);
  EXPECT_EQ(z.scalar_type(), at::kBFloat16);
  const at::Tensor exact = expected(in, weight, bias);
  // Sums are floats: all that is lost is the rounding of what comes out, 2^-9 of it.
  EXPECT_LT(((z.to(at::kDouble) - exact).abs() / (exact.abs() + 1e-2)).max().item<double>(), 0.0041);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, WinogradConvTest,
    ::testing::Values(Case{1, 8, 8, 16, 0, 16, false, false, false}, Case{2, 16, 12, 32, 0, 32, false, true, true},
                      Case{1, 5, 7, 24, 0, 48, false, true, false},  // sides no multiples of 4
                      Case{1, 1, 1, 16, 0, 16, false, false, true}, Case{3, 30, 34, 40, 0, 64, false, false, true},
                      Case{2, 16, 16, 16, 0, 32, true, false, true}, Case{1, 6, 10, 20, 0, 16, true, false, false},
                      Case{2, 24, 20, 64, 8, 32, true, false, true},  // few channels are joined
                      Case{1, 40, 64, 33, 17, 96, true, true, true}, Case{9, 64, 64, 16, 16, 16, false, false, true}));

TEST(WinogradConv, RefusesWhatItIsNotFor) {
  EXPECT_FALSE(WinogradConv::suits(at::randn({16, 16, 1, 1})));
  EXPECT_FALSE(WinogradConv::suits(at::randn({16, 16, 5, 5})));
  EXPECT_FALSE(WinogradConv::suits(at::randn({2, 16, 3, 3})));
  EXPECT_FALSE(WinogradConv::suits(at::randn({64, 3, 3, 3})));
}

// What is no number shows wherever the kernel reaches it, and nowhere else but in the same tiles.
TEST(WinogradConv, WhatIsNoNumberDoesNotVanish) {
  if (tile_kernels() == nullptr) GTEST_SKIP() << "this processor has no kernels";
  const c10::InferenceMode inference;
  const WinogradConv conv(at::randn({16, 16, 3, 3}), {});
  WinogradConv::Input in{.map = map(1, 16, 16, 16), .joined = {}, .more = {}, .relu = true};
  in.map.index_put_({at::tensor(0), at::tensor(3), at::tensor(9), at::tensor(9)}, at::tensor(NAN));
  const at::Tensor y = conv.forward(in);
  EXPECT_TRUE(y.slice(2, 8, 11).slice(3, 8, 11).isnan().all().item<bool>());
  EXPECT_FALSE(y.slice(2, 0, 4).isnan().any().item<bool>());
}

}  // namespace
}  // namespace nephron::nn
