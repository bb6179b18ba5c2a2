#include <nephron/nn/upsampled_conv.hpp>

#include <memory>
#include <string_view>

#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/record_function.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/variable.h>

namespace nephron::nn {
namespace {

at::Tensor plain(const at::Tensor& x, const at::Tensor& skip, const at::Tensor& weight) {
  at::Tensor up = at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  if (skip.defined()) up = at::cat({up, skip}, 1);
  return at::conv2d(up, weight, {}, 1, 1);
}

struct Shape {
  std::int64_t n, cx, cs, o, h, w;
};

class UpsampledConv : public testing::TestWithParam<Shape> {};

// Both sides in double: they differ by the order of additions alone, 1e-12 of values near 1 to 30.
TEST_P(UpsampledConv, EqualsThePlainFormForwardAndBackward) {
  const Shape s = GetParam();
  const auto make = [](at::IntArrayRef size) { return at::randn(size, at::kDouble).requires_grad_(); };
  const at::Tensor x = make({s.n, s.cx, s.h, s.w}), weight = make({s.o, s.cx + s.cs, 3, 3});
  const at::Tensor skip = s.cs > 0 ? make({s.n, s.cs, 2 * s.h, 2 * s.w}) : at::Tensor();
  const at::Tensor gradient = at::randn({s.n, s.o, 2 * s.h, 2 * s.w}, at::kDouble);
  std::vector<at::Tensor> results[2];
  for (int fast = 0; fast < 2; ++fast) {
    const at::Tensor y = fast == 1 ? upsampled_conv3x3(x, skip, weight) : plain(x, skip, weight);
    for (const at::Tensor* t : {&x, &weight, &skip})
      if (t->defined()) t->mutable_grad().reset();
    y.backward(gradient);
    results[fast] = {y.detach(), x.grad().clone(), weight.grad().clone()};
    if (skip.defined()) results[fast].push_back(skip.grad().clone());
  }
  for (std::size_t i = 0; i < results[0].size(); ++i) {
    ASSERT_EQ(results[0][i].sizes(), results[1][i].sizes());
    EXPECT_LT((results[0][i] - results[1][i]).abs().max().item<double>(),
              1e-12 * std::max(1.0, results[0][i].abs().max().item<double>()));
  }
  EXPECT_TRUE(results[1][0].is_contiguous(at::MemoryFormat::ChannelsLast));
}

INSTANTIATE_TEST_SUITE_P(Shapes, UpsampledConv,
                         testing::Values(Shape{1, 1, 0, 1, 1, 1}, Shape{2, 3, 0, 4, 5, 7}, Shape{2, 3, 2, 5, 4, 6},
                                         Shape{3, 8, 8, 16, 16, 8}));

// What is made once must serve both: a constant born in inference mode cannot be saved for a backward.
TEST(UpsampledConvConstants, InferenceFirstAndTrainingAfterwards) {
  const at::Tensor x = at::randn({1, 2, 4, 4}, at::kFloat), weight = at::randn({3, 2, 3, 3}).requires_grad_();
  {
    const c10::InferenceMode inference;
    upsampled_conv3x3(x, {}, weight);
  }
  upsampled_conv3x3(x, {}, weight).sum().backward();
  EXPECT_TRUE(weight.grad().defined());
}

std::int64_t matrices_made = 0;

// A constant that is made on the CPU at every call makes a GPU wait at every call.
TEST(UpsampledConvConstants, AreMadeOnce) {
  const auto count = [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
    const auto in = function.inputs();
    const bool made = std::string_view(function.name()) == "aten::view" && !in.empty() && in[0].isTensor() &&
                      in[0].toTensor().numel() == 9 * 16 && in[0].toTensor().dim() == 1;
    if (made) ++matrices_made;
    return nullptr;
  };
  const at::CallbackHandle handle = at::addThreadLocalCallback(at::RecordFunctionCallback(count).needsInputs(true));
  // Half precision is used by no other test here.
  const at::Tensor x = at::randn({1, 2, 4, 4}).to(at::kBFloat16), weight = at::randn({3, 2, 3, 3}).to(at::kBFloat16);
  upsampled_conv3x3(x, {}, weight);
  EXPECT_EQ(matrices_made, 1);
  upsampled_conv3x3(x, {}, weight);
  EXPECT_EQ(matrices_made, 1);
  at::removeCallback(handle);
}

TEST(UpsampledConvErrors, ChannelsAndSizesMustFit) {
  const at::Tensor x = at::randn({1, 2, 4, 4}), weight = at::randn({1, 3, 3, 3});
  EXPECT_THROW(upsampled_conv3x3(x, {}, weight), c10::Error);
  EXPECT_THROW(upsampled_conv3x3(x, at::randn({1, 1, 7, 8}), weight), c10::Error);
}

}  // namespace
}  // namespace nephron::nn
