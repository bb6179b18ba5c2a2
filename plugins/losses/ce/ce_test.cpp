// ce through its shared object, as the host loads it.
#include <cmath>

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/loss_input.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

class CeTest : public testing::Test {
 protected:
  std::shared_ptr<Loss> make(Value::Table params = {}) {
    return registry_.create<Loss>(ComponentSpec{"ce", Value(std::move(params)), {}}, context_);
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"ce", "loss.terms[0]"};
};

/// [1, C, 1, n] of doubles.
at::Tensor row(std::initializer_list<double> values, std::int64_t classes) {
  return at::tensor(std::vector<double>(values)).view({1, classes, 1, -1});
}

TEST_F(CeTest, ValuesByHand) {
  // Two classes, three pixels: the first class, background, both.
  const at::Tensor logits = row({1, 0.5, -1, 2, -2, 0}, 2), target = row({1, 0, 1, 0, 0, 1}, 2);
  const auto surprise = [&](int pixel, int of) {  // of: 0 is the background
    const double a[] = {0, logits[0][0][0][pixel].item<double>(), logits[0][1][0][pixel].item<double>()};
    return std::log(std::exp(a[0]) + std::exp(a[1]) + std::exp(a[2])) - a[of];
  };
  const at::Tensor out = make()->forward(logits, target);
  ASSERT_EQ(out.sizes(), (at::IntArrayRef{1, 2}));
  EXPECT_NEAR(out[0][0].item<double>(), (2 * surprise(0, 1) + surprise(1, 0) + surprise(2, 1)) / 3, 1e-12);
  EXPECT_NEAR(out[0][1].item<double>(), (surprise(1, 0) + surprise(2, 2)) / 3, 1e-12);
  EXPECT_NEAR(out.mean().item<double>(), (surprise(0, 1) + surprise(1, 0) + (surprise(2, 1) + surprise(2, 2)) / 2) / 3,
              1e-12);
}

TEST_F(CeTest, OfOneClassItIsBinaryCrossEntropy) {
  at::manual_seed(1);
  const at::Tensor x = at::randn({3, 1, 5, 4}, at::kDouble) * 3, t = at::rand({3, 1, 5, 4}, at::kDouble);
  const at::Tensor p = at::sigmoid(x);
  const at::Tensor bce = -(t * p.log() + (1 - t) * (1 - p).log()).mean({2, 3});
  EXPECT_LT((make()->forward(x, t) - bce).abs().max().item<double>(), 1e-12);
}

TEST_F(CeTest, ItSaysThatItCouplesClassesAndLeavesOutPixelsThatDoNotCount) {
  const auto loss = make();
  EXPECT_NE(dynamic_cast<const CouplesClasses*>(loss.get()), nullptr);
  at::Tensor logits = row({1, 0.5, 2, -2}, 2).set_requires_grad(true);
  LossInput input(logits, row({1, 0, 0, 0}, 2));
  input.set_pixel_weights(row({1, 0, 1, 0}, 2));
  dynamic_cast<const InputLoss&>(*loss).value(input).sum().backward();
  for (int c = 0; c < 2; ++c) {
    EXPECT_EQ(logits.grad()[0][c][0][1].item<double>(), 0);
    EXPECT_NE(logits.grad()[0][c][0][0].item<double>(), 0);
  }
}

TEST_F(CeTest, RefusesWhatMakesNoSense) {
  EXPECT_THROW(make({{"smoothing", Value(1.5), {}}}), Error);
  EXPECT_THROW(make({{"gamma", Value(1.0), {}}}), Error);
}

}  // namespace
}  // namespace nephron::host
