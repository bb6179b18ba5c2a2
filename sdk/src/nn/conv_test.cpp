#include <gtest/gtest.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>

#include <nephron/nn/conv.hpp>
#include <nephron/nn/conv_transpose.hpp>
#include <nephron/nn/first_weights.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/linear.hpp>

namespace nephron::nn {
namespace {

class Bf16 {
 public:
  Bf16() {
    at::autocast::set_autocast_dtype(c10::kCPU, c10::kBFloat16);
    at::autocast::set_autocast_enabled(c10::kCPU, true);
  }
  ~Bf16() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(c10::kCPU, false);
  }
};

TEST(FirstWeights, AreNotDrawnWhereNobodyWantsThem) {
  const auto draws = [] {
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    const at::Tensor before = generator.get_state();
    Conv2d conv({.in = 4, .out = 4, .kernel = 3, .bias = true});
    for (const auto init : {&init_kaiming_normal_fan_out, &init_kaiming_uniform_fan_in, &init_xavier_uniform})
      init(conv);
    const DoublingConv doubling(4, 4);
    const Linear linear(4, 4);
    init_truncated_normal(conv.weight(), 1);
    return !at::equal(before, generator.get_state());
  };
  EXPECT_TRUE(draws());
  {
    const WithoutFirstWeights outer;
    EXPECT_FALSE(draws());
    { const WithoutFirstWeights inner; }
    EXPECT_TRUE(WithoutFirstWeights::here());
  }
  EXPECT_TRUE(draws());
}

// In training it computes in float32 whatever autocast says; the map that it gives has the type that autocast promises.
TEST(DepthwiseConvolution, TrainsInFloatUnderAutocast) {
  Conv2d conv({.in = 8, .out = 8, .kernel = 5, .stride = 2, .groups = 8});
  const at::Tensor x = at::randn({2, 8, 12, 12}).to(c10::kBFloat16).requires_grad_(true);
  at::Tensor y;
  {
    const Bf16 autocast;
    y = conv.forward(x);
  }
  EXPECT_EQ(y.scalar_type(), c10::kBFloat16);
  const at::Tensor exact = at::conv2d(x.detach().to(c10::kFloat), conv.weight().detach(), {}, 2, 2, 1, 8);
  EXPECT_TRUE(y.detach().equal(exact.to(c10::kBFloat16)));
  y.sum().backward();
  EXPECT_EQ(x.grad().scalar_type(), c10::kBFloat16);
  EXPECT_EQ(conv.weight().grad().scalar_type(), c10::kFloat);
}

TEST(DepthwiseConvolution, LeavesTheInputsTypeWhereThereIsNoAutocast) {
  Conv2d conv({.in = 8, .out = 8, .kernel = 3, .groups = 8});
  EXPECT_EQ(conv.forward(at::randn({1, 8, 6, 6})).scalar_type(), c10::kFloat);
}

// A float image enters the first layer: what comes out under autocast is bf16 all the same.
TEST(DepthwiseConvolution, GivesTheTypeOfAutocastForAFloatInput) {
  Conv2d conv({.in = 8, .out = 8, .kernel = 3, .groups = 8});
  const Bf16 autocast;
  EXPECT_EQ(conv.forward(at::randn({1, 8, 6, 6})).scalar_type(), c10::kBFloat16);
}

// The odd pixel is at the end, as TensorFlow's "same" and timm's dilated ConvNeXt have it.
TEST(Convolution, DilatedWithAnEvenKernelKeepsTheMap) {
  for (const std::int64_t dilation : {1, 2, 3}) {
    Conv2d conv({.in = 2, .out = 3, .kernel = 2, .stride = 2}, {});
    conv.dilate(dilation);
    const at::Tensor x = at::randn({1, 2, 5, 7});
    const at::Tensor y = conv.forward(x);
    EXPECT_EQ(y.sizes(), (at::IntArrayRef{1, 3, 5, 7}));
    const at::Tensor inner =
        at::conv2d(x, conv.weight(), {}, at::IntArrayRef(1), at::IntArrayRef(0), at::IntArrayRef(dilation));
    const std::int64_t before = dilation / 2;
    EXPECT_TRUE(y.narrow(2, before, inner.size(2)).narrow(3, before, inner.size(3)).allclose(inner, 1e-5, 1e-6));
  }
}

}  // namespace
}  // namespace nephron::nn
