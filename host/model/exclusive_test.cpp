#include <host/model/exclusive.hpp>

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace nephron::host {
namespace {

double worst(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Exclusive, OneClassIsTheSigmoid) {
  at::manual_seed(1);
  const at::Tensor logits = at::randn({2, 1, 5, 4}) * 4;
  EXPECT_LT(worst(probabilities(logits, true), at::sigmoid(logits)), 1e-6);
  EXPECT_TRUE((predicted_masks(logits, true) == predicted_masks(logits, false)).all().item<bool>());
  EXPECT_EQ(worst(log_odds(logits), logits), 0);
}

TEST(Exclusive, ProbabilitiesShareOneWithTheBackground) {
  at::manual_seed(2);
  const at::Tensor logits = at::randn({2, 5, 6, 7}) * 4;
  const at::Tensor p = probabilities(logits, true);
  EXPECT_LT(p.sum(1).max().item<double>(), 1);
  const at::Tensor masks = predicted_masks(logits, true);
  EXPECT_LE(masks.sum(1).max().item<std::int64_t>(), 1) << "a pixel has one class at most";
  // Chosen is what is likelier than the others and than the background.
  const at::Tensor rest = 1 - p.sum(1, /*keepdim=*/true);
  const at::Tensor expected = (p == p.amax({1}, true)).logical_and(p > rest);
  EXPECT_TRUE((masks == expected).all().item<bool>());
  EXPECT_LT(worst(at::sigmoid(log_odds(logits)), p), 1e-6);
  const at::Tensor exact = log_odds(logits.to(at::kDouble));
  EXPECT_LT(worst(at::sigmoid(exact), probabilities(logits.to(at::kDouble), true)), 1e-14);
  EXPECT_LT(worst(log_odds(logits), exact), 1e-5) << "of sure pixels too";
}

TEST(Exclusive, GradientsOfSureNetworksStayFinite) {
  at::Tensor logits =
      at::tensor({200.0F, -200.0F, 0.0F, 1e4F, 90.0F, -1e4F}).view({1, 3, 1, 2}).set_requires_grad(true);
  log_odds(logits).sum().backward();
  EXPECT_TRUE(at::isfinite(logits.grad()).all().item<bool>());
}

}  // namespace
}  // namespace nephron::host
