#include <nephron/nn/fold.hpp>

#include <ATen/ops/allclose.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <nephron/nn/blocks.hpp>
#include <nephron/nn/mbconv.hpp>

namespace nephron::nn {
namespace {

/// Statistics as training leaves them.
void unsettle(torch::nn::Module& module) {
  const at::NoGradGuard no_grad;
  for (const auto& buffer : module.named_buffers()) {
    if (buffer.key().ends_with("running_mean")) buffer.value().normal_(0.3, 0.5);
    if (buffer.key().ends_with("running_var")) buffer.value().uniform_(0.4, 3);
  }
  for (const auto& parameter : module.named_parameters())
    if (parameter.value().dim() == 1) parameter.value().normal_(0.8, 0.4);
}

template <class Block>
void expect_same_when_folded(Block& block, const at::Tensor& x, int folds) {
  unsettle(block);
  EXPECT_EQ(fold_batch_norms(block), 0) << "folded in training mode";
  block.eval();
  const c10::InferenceMode inference;
  const at::Tensor before = block.forward(x.clone());
  EXPECT_EQ(fold_batch_norms(block), folds);
  EXPECT_TRUE(at::allclose(block.forward(x.clone()), before, 1e-4, 1e-5));
  EXPECT_EQ(fold_batch_norms(block), 0) << "folded twice";
}

TEST(FoldBatchNorms, ConvNormRelu) {
  ConvNormRelu block(5, 7, 3);
  expect_same_when_folded(block, at::randn({2, 5, 9, 8}), 1);
}

TEST(FoldBatchNorms, ConvWithoutNormStaysAsItIs) {
  ConvNormRelu block(5, 7, 3, /*norm=*/false);
  expect_same_when_folded(block, at::randn({2, 5, 9, 8}), 0);
}

TEST(FoldBatchNorms, MBConvWithSqueezeAndExcitation) {
  MBConv block({.in = 6, .out = 6, .expansion = 4, .squeezed = 2});
  expect_same_when_folded(block, at::randn({2, 6, 10, 12}), 3);
}

TEST(FoldBatchNorms, ChildrenOfChildren) {
  ModuleList list;
  list.append(std::make_shared<ConvNormRelu>(3, 4, 3));
  list.append(std::make_shared<ConvNormRelu>(4, 4, 1));
  list.eval();
  EXPECT_EQ(fold_batch_norms(list), 2);
}

}  // namespace
}  // namespace nephron::nn
