// Blocks that decoders are made of, and what decoders refuse.
#include <cmath>

#include <ATen/Context.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/nn/blocks.hpp>
#include <nephron/nn/conv_transpose.hpp>
#include <nephron/nn/drop_path.hpp>
#include <nephron/nn/group_norm.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/layer_norm.hpp>
#include <nephron/nn/levels.hpp>
#include <nephron/nn/linear.hpp>

namespace nephron::nn {
namespace {

TEST(DoublingConv, HasPyTorchsNamesShapesAndFirstWeights) {
  DoublingConv conv(6, 5);
  const auto parameters = conv.named_parameters();
  EXPECT_EQ(parameters["weight"].sizes(), (at::IntArrayRef{6, 5, 4, 4}));
  EXPECT_EQ(parameters["bias"].sizes(), (at::IntArrayRef{5}));
  const double bound = 1 / std::sqrt(5 * 16.0);
  EXPECT_LE(parameters["weight"].abs().max().item<double>(), bound);
  EXPECT_GT(parameters["weight"].abs().max().item<double>(), 0.9 * bound);
  EXPECT_EQ(conv.forward(at::randn({2, 6, 3, 4})).sizes(), (at::IntArrayRef{2, 5, 6, 8}));
}

TEST(GroupNorm, EachSampleByItself) {
  GroupNorm norm(4, 8);
  const at::Tensor x = at::randn({3, 8, 5, 7}) * 3 + 1;
  const at::Tensor y = norm.forward(x);
  EXPECT_TRUE(norm.forward(x.narrow(0, 1, 1)).allclose(y.narrow(0, 1, 1), 1e-5, 1e-6));
  const at::Tensor grouped = y.view({3, 4, -1});
  EXPECT_LT(grouped.mean(2).abs().max().item<float>(), 1e-5F);
  EXPECT_LT((grouped.square().mean(2) - 1).abs().max().item<float>(), 1e-4F);
  EXPECT_THROW(GroupNorm(3, 8), Error);
}

TEST(LayerNorm, EachPositionByItself) {
  LayerNorm norm(8, 1e-6);
  LayerNorm2d of_maps(8, 1e-6);
  EXPECT_EQ(norm.named_parameters().keys(), (std::vector<std::string>{"weight", "bias"}));
  for (const auto& parameter : norm.named_parameters()) {
    const at::NoGradGuard no_grad;
    of_maps.named_parameters()[parameter.key()].copy_(parameter.value().normal_());
  }
  const at::Tensor x = at::randn({3, 5, 7, 8}) * 3 + 1;
  const at::Tensor y = norm.forward(x);
  const at::Tensor mean = x.mean(-1, true), deviation = (x.var(-1, /*unbiased=*/false, true) + 1e-6).sqrt();
  const auto parameters = norm.named_parameters();
  EXPECT_TRUE(y.allclose((x - mean) / deviation * parameters["weight"] + parameters["bias"], 1e-5, 1e-5));
  // The same over the channels of a map, whatever its format; the result is channels_last.
  const at::Tensor map = x.permute({0, 3, 1, 2});
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    const at::Tensor z = of_maps.forward(map.contiguous(format));
    EXPECT_TRUE(z.permute({0, 2, 3, 1}).equal(y));
    EXPECT_TRUE(z.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
  EXPECT_THROW(LayerNorm(0), Error);
  EXPECT_THROW(LayerNorm2d(0), Error);
}

TEST(Linear, HasPyTorchsNamesShapesAndFirstWeights) {
  Linear linear(6, 500);
  const auto parameters = linear.named_parameters();
  EXPECT_EQ(parameters["weight"].sizes(), (at::IntArrayRef{500, 6}));
  EXPECT_EQ(parameters["bias"].sizes(), (at::IntArrayRef{500}));
  const double bound = 1 / std::sqrt(6.0);
  for (const auto& parameter : parameters) {
    EXPECT_LE(parameter.value().abs().max().item<double>(), bound);
    EXPECT_GT(parameter.value().abs().max().item<double>(), 0.98 * bound);
  }
  const at::Tensor x = at::randn({2, 3, 6});
  EXPECT_TRUE(linear.forward(x).allclose(x.matmul(linear.weight().t()) + linear.bias(), 1e-5, 1e-6));
  EXPECT_FALSE(Linear(6, 5, /*bias=*/false).bias().defined());
  EXPECT_THROW(Linear(0, 5), Error);
  EXPECT_THROW(Linear(5, 0), Error);
}

TEST(Gelu, IsTheExactOne) {
  const at::Tensor x = at::randn({1000});
  const at::Tensor exact = x * (1 + (x / std::sqrt(2.0)).erf()) / 2;
  EXPECT_TRUE(activate(x, Activation::gelu).allclose(exact, 1e-6, 1e-6));
}

TEST(DropPath, DropsWholeSamplesAndKeepsTheMean) {
  const at::Tensor x = at::ones({20000, 2, 1, 3});
  at::manual_seed(3);
  const at::Tensor y = drop_path(x, 0.25, /*training=*/true);
  EXPECT_EQ((y == 0).all(-1).all(-1).all(-1).sum().item<std::int64_t>() * 6, (y == 0).sum().item<std::int64_t>());
  EXPECT_TRUE(((y == 0) | (y == 1 / 0.75F)).all().item<bool>());
  EXPECT_NEAR(y.mean().item<double>(), 1, 0.02);
  at::manual_seed(3);
  EXPECT_TRUE(drop_path(x, 0.25, true).equal(y)) << "what is dropped is a function of LibTorch's generator";
  EXPECT_FALSE(drop_path(x, 0.25, true).equal(y));
  EXPECT_TRUE(drop_path(x, 0.25, /*training=*/false).is_same(x));
  EXPECT_TRUE(drop_path(x, 0, true).is_same(x));
  EXPECT_THROW(drop_path(x, 1, true), Error);
  EXPECT_THROW(drop_path(x, -0.1, true), Error);
}

// The numbers are torch.nn.init.trunc_normal_'s after torch.manual_seed(5), PyTorch 2.11.0.
TEST(TruncatedNormal, IsPyTorchs) {
  at::manual_seed(5);
  const at::Tensor cut = at::empty({2, 3});
  init_truncated_normal(cut, 0.5, 0.1, -0.4, 1.0);
  EXPECT_TRUE(cut.flatten().allclose(at::tensor({0.571876585483551F, -0.221323162317276F, 0.7120545506477356F,
                                                 0.5558493733406067F, 0.7399784326553345F, -0.23316046595573425F}),
                                     1e-6, 1e-7));
  at::manual_seed(5);
  const at::Tensor wide = at::empty({2, 3});
  init_truncated_normal(wide, 0.02);
  EXPECT_TRUE(
      wide.flatten().allclose(at::tensor({0.019103219732642174F, -0.022899389266967773F, 0.026506666094064713F,
                                          0.018301740288734436F, 0.028115350753068924F, -0.023838510736823082F}),
                              1e-6, 1e-7));
  const at::Tensor many = at::empty({100000});
  init_truncated_normal(many, 1, 0, -0.5, 2);
  EXPECT_GE(many.min().item<float>(), -0.5F);
  EXPECT_LE(many.max().item<float>(), 2.0F);
}

TEST(Levels, WithoutAStrideGetOneOfNoChannels) {
  const std::vector<Level> levels{{3, 1}, {8, 4}, {16, 8}};
  const std::vector<Level> halvings = every_halving("x", levels, 3);
  ASSERT_EQ(halvings.size(), 4U);
  EXPECT_EQ(halvings[1].channels, 0);
  EXPECT_EQ(halvings[1].stride, 2);
  EXPECT_EQ(halvings[2].channels, 8);
  const std::vector<at::Tensor> features{at::randn({2, 3, 17, 32}), at::randn({2, 8, 4, 8}), at::randn({2, 16, 2, 4})};
  const std::vector<at::Tensor> maps = every_halving(halvings, features);
  ASSERT_EQ(maps.size(), 4U);
  EXPECT_EQ(maps[1].sizes(), (at::IntArrayRef{2, 0, 8, 16}));
  EXPECT_TRUE(maps[0].is_same(features[0]) && maps[2].is_same(features[1]) && maps[3].is_same(features[2]));
  // What has as many levels as are asked for stays as it is.
  EXPECT_EQ(every_halving("x", levels, 2).size(), 3U);
  EXPECT_THROW(every_halving("x", levels, 4), Error);
  EXPECT_THROW(every_halving("x", {}, 2), Error);
}

TEST(Levels, AreRefusedInWords) {
  const std::vector<Level> good{{3, 1}, {8, 2}, {8, 4}}, skipping{{3, 1}, {8, 4}, {8, 8}};
  require_depth("x", good, 2);
  require_halving("x", good, 3);
  require_halving("x", skipping, 2);
  EXPECT_THROW(require_depth("x", good, 3), Error);
  EXPECT_THROW(require_depth("x", {}, 3), Error);
  EXPECT_THROW(require_halving("x", skipping, 3), Error);
  require_multiples("x", at::randn({1, 3, 64, 96}), 32);
  EXPECT_THROW(require_multiples("x", at::randn({1, 3, 64, 80}), 32), Error);
}

}  // namespace
}  // namespace nephron::nn
