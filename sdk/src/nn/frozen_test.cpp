// Frozen convolutions and blocks beside the same ones as they were, through what the SDK shows.
#include <ATen/Context.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randn_like.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <nephron/nn/fold.hpp>
#include <nephron/nn/mbconv.hpp>
#include <nephron/nn/unet_block.hpp>

namespace nephron::nn {
namespace {

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

double furthest(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

struct Form {
  ConvShape shape;
  Padding padding;
  std::int64_t dilation = 1;
};

void expect_same_when_frozen(const Form& form, bool exact) {
  SCOPED_TRACE(std::to_string(form.shape.in) + " to " + std::to_string(form.shape.out) + ", kernel " +
               std::to_string(form.shape.kernel) + ", stride " + std::to_string(form.shape.stride) + ", groups " +
               std::to_string(form.shape.groups));
  const c10::InferenceMode inference;
  at::manual_seed(5);
  for (const Activation activation :
       {Activation::none, Activation::relu, Activation::relu6, Activation::silu, Activation::gelu})
    for (const bool adds : {false, true}) {
      Conv2d conv(form.shape, form.padding);
      if (form.dilation > 1) conv.dilate(form.dilation);
      conv.eval();
      const at::Tensor x = at::randn({2, form.shape.in, 18, 22}).contiguous(channels_last);
      const at::Tensor plain = conv.forward(x);
      const at::Tensor more = adds ? at::randn_like(plain) : at::Tensor();
      const at::Tensor before = conv.forward(x, activation, more);
      ASSERT_TRUE(conv.freeze({.minimal_filtering = false}));
      // oneDNN computes the same sums in the same order; its sigmoid and error function are its own.
      const bool own_function = activation == Activation::silu || activation == Activation::gelu;
      EXPECT_LE(furthest(conv.forward(x, activation, more), before), exact && !own_function ? 0 : 2e-6);
      ASSERT_TRUE(conv.freeze({}));
      EXPECT_LE(furthest(conv.forward(x, activation, more), before), 1e-5);
      if (!conv.freeze({.type = at::kBFloat16})) continue;  // a processor for which LibTorch packs none
      const at::Tensor low = conv.forward(x, activation, more);
      EXPECT_EQ(low.scalar_type(), at::kBFloat16);
      EXPECT_LE(furthest(low, before), 0.06);  // of values up to 4, products and sums rounded to 2^-9
      const at::Tensor smaller = at::randn({1, form.shape.in, 10, 12});
      EXPECT_EQ(conv.forward(smaller).size(0), 1);  // packed anew for it
    }
}

TEST(FrozenConv, IsTheSameConvolution) {
  expect_same_when_frozen({{.in = 16, .out = 32, .kernel = 3, .bias = true}, {1, 1}}, false);
  expect_same_when_frozen({{.in = 16, .out = 24, .kernel = 1}, {}}, false);
  expect_same_when_frozen({{.in = 3, .out = 16, .kernel = 7, .stride = 2}, {3, 3}}, false);
  expect_same_when_frozen({{.in = 16, .out = 16, .kernel = 3, .stride = 2, .bias = true}, {0, 1}}, false);
  expect_same_when_frozen({{.in = 24, .out = 24, .kernel = 5, .groups = 24}, {2, 2}}, false);
  expect_same_when_frozen({{.in = 24, .out = 24, .kernel = 3, .stride = 2, .groups = 24}, {0, 1}}, false);
  expect_same_when_frozen({{.in = 16, .out = 16, .kernel = 3}, {1, 1}, 2}, false);
  for (const std::int64_t classes : {1, 2, 3, 4, 5})
    expect_same_when_frozen({{.in = 32, .out = classes, .kernel = 3, .bias = true}, {1, 1}}, false);
}

TEST(FrozenConv, IsNotFrozenInTraining) {
  Conv2d conv({.in = 4, .out = 4});
  EXPECT_FALSE(conv.freeze({}));
  EXPECT_FALSE(conv.frozen());
}

/// Statistics as training leaves them.
void unsettle(torch::nn::Module& module) {
  const at::NoGradGuard no_grad;
  for (const auto& buffer : module.named_buffers()) {
    if (buffer.key().ends_with("running_mean")) buffer.value().normal_(0.1, 0.2);
    if (buffer.key().ends_with("running_var")) buffer.value().uniform_(0.6, 1.5);
  }
}

template <class Block, class Run>
void expect_same_block(Block& block, int convolutions, const Run& run) {
  unsettle(block);
  block.eval();
  const c10::InferenceMode inference;
  const at::Tensor before = run().clone();
  fold_batch_norms(block);
  EXPECT_EQ(freeze_for_inference(block), convolutions);
  EXPECT_LE(furthest(run(), before), 2e-5 * (1 + before.abs().max().item<double>()));
}

TEST(FreezeForInference, MBConv) {
  for (const std::int64_t stride : {1, 2}) {
    MBConv block({.in = 16,
                  .out = 16,
                  .kernel = 5,
                  .stride = stride,
                  .expansion = 4,
                  .squeezed = 4,
                  .padding = stride == 1 ? Padding{2, 2} : Padding{1, 2}});
    const at::Tensor x = at::randn({2, 16, 20, 24}).contiguous(channels_last);
    expect_same_block(block, 5, [&] { return block.forward(x); });
  }
}

TEST(FreezeForInference, UnetBlock) {
  for (const bool norm : {true, false})
    for (const std::int64_t skip : {0, 24}) {
      UnetBlock block({.in = 32, .skip = skip, .out = 16, .norm = norm});
      const at::Tensor x = at::randn({2, 32, 9, 10}).contiguous(channels_last);
      const at::Tensor joined = skip > 0 ? at::randn({2, skip, 18, 20}).contiguous(channels_last) : at::Tensor();
      const std::vector<std::int64_t> size{18, 20};
      expect_same_block(block, 2, [&] { return block.forward(x, size, joined); });
    }
}

TEST(FreezeForInference, AttentionAndNarrowBlocks) {
  UnetBlock block({.in = 32, .skip = 16, .out = 24, .scse = true});  // 24 is no multiple of a vector's length
  const at::Tensor x = at::randn({1, 32, 8, 8}), joined = at::randn({1, 16, 16, 16});
  const std::vector<std::int64_t> size{16, 16};
  expect_same_block(block, 8, [&] { return block.forward(x, size, joined); });
}

}  // namespace
}  // namespace nephron::nn
