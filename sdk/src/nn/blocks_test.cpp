// Blocks that decoders are made of, and what decoders refuse.
#include <cmath>

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/nn/conv_transpose.hpp>
#include <nephron/nn/group_norm.hpp>
#include <nephron/nn/levels.hpp>

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
