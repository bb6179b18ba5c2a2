// mcc through its shared object, as the host loads it.
#include <cmath>

#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/loss_input.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

class MccTest : public testing::Test {
 protected:
  std::shared_ptr<InputLoss> make(Value::Table params = {}) {
    return std::dynamic_pointer_cast<InputLoss>(
        registry_.create<Loss>(ComponentSpec{"mcc", Value(std::move(params)), {}}, context_));
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"mcc", "loss.terms[0]"};
};

/// [N, 1, 1, 4] of doubles.
at::Tensor grid(std::initializer_list<double> values, std::int64_t n) {
  return at::tensor(std::vector<double>(values)).view({n, 1, 1, 4});
}

double logit(double p) { return std::log(p / (1 - p)); }

TEST_F(MccTest, ValuesByHand) {
  // Probabilities 0.9 0.2 0.6 0.3 of targets 1 1 0 0: tp 1.1, fp 0.9, fn 0.9, tn 1.1.
  const at::Tensor x = grid({logit(0.9), logit(0.2), logit(0.6), logit(0.3)}, 1), t = grid({1, 1, 0, 0}, 1);
  const at::Tensor out = make({{"eps", Value(1e-8), {}}})->forward(x, t);
  ASSERT_EQ(out.sizes(), (at::IntArrayRef{1, 1}));
  EXPECT_NEAR(out.item<double>(), 1 - (1.1 * 1.1 - 0.9 * 0.9) / 4, 1e-7);
  const double sure = 40;
  EXPECT_NEAR(make()->forward(grid({sure, sure, -sure, -sure}, 1), t).item<double>(), 0, 1e-4);
  EXPECT_NEAR(make()->forward(grid({-sure, -sure, sure, sure}, 1), t).item<double>(), 2, 1e-4);
}

TEST_F(MccTest, PixelsThatDoNotCountAreLeftOut) {
  LossInput input(grid({1, -2, 0.5, 30}, 1), grid({1, 0, 1, 0}, 1));
  input.set_pixel_weights(grid({1, 1, 1, 0}, 1));
  const at::Tensor three = make()->forward(input.logits().narrow(3, 0, 3), input.target().narrow(3, 0, 3));
  EXPECT_NEAR(make()->value(input).item<double>(), three.item<double>(), 1e-12);
}

TEST_F(MccTest, PerSampleGivesOneAValue) {
  const at::Tensor x = grid({1, -1, 2, 0.5, 3, -2, -1, 1}, 2), t = grid({1, 0, 1, 0, 0, 1, 0, 1}, 2);
  const at::Tensor out = make({{"per_sample", Value(true), {}}})->forward(x, t);
  ASSERT_EQ(out.sizes(), (at::IntArrayRef{2, 1}));
  EXPECT_NEAR(out[1].item<double>(), make()->forward(x.narrow(0, 1, 1), t.narrow(0, 1, 1)).item<double>(), 1e-12);
}

TEST_F(MccTest, OneKindOfPixelStaysFinite) {
  for (const double target : {0.0, 1.0})
    for (const double level : {-1e4, 0.0, 1e4}) {
      const at::Tensor x = at::full({1, 1, 8, 8}, level, at::kFloat).set_requires_grad(true);
      const at::Tensor out = make()->forward(x, at::full({1, 1, 8, 8}, target, at::kFloat));
      out.sum().backward();
      EXPECT_TRUE(std::isfinite(out.item<float>()) && at::isfinite(x.grad()).all().item<bool>());
    }
}

}  // namespace
}  // namespace nephron::host
