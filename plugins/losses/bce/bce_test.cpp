// bce through its shared object, as the host loads it.
#include <cmath>

#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/loss.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

class BceTest : public testing::Test {
 protected:
  std::shared_ptr<Loss> make(Value::Table params = {}) {
    return registry_.create<Loss>(ComponentSpec{"bce", Value(std::move(params)), {}}, context_);
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"bce", "loss.terms[0]"};
};

/// [N, C, 1, 2] of doubles.
at::Tensor grid(std::initializer_list<double> values, std::int64_t n, std::int64_t c) {
  return at::tensor(std::vector<double>(values)).view({n, c, 1, 2});
}
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST_F(BceTest, ValuesByHand) {
  const at::Tensor logits = grid({0.5, -1, 2, 0, -3, 1, 0, 4}, 2, 2), target = grid({1, 0, 0.25, 1, 0, 0, 1, 1}, 2, 2);
  const double w = 3, s = 0.1;
  const at::Tensor out = make({{"pos_weight", Value(w), {}}, {"smoothing", Value(s), {}}})->forward(logits, target);
  ASSERT_EQ(out.sizes(), (at::IntArrayRef{2, 2}));
  for (int i = 0; i < 4; ++i) {
    double mean = 0;
    for (int k = 0; k < 2; ++k) {
      const double x = logits.view(-1)[2 * i + k].item<double>(), t = target.view(-1)[2 * i + k].item<double>();
      const double soft = t * (1 - 2 * s) + s;
      mean -= (w * soft * std::log(sigmoid(x)) + (1 - soft) * std::log(1 - sigmoid(x))) / 2;
    }
    EXPECT_NEAR(out.view(-1)[i].item<double>(), mean, 1e-12) << "sample and class " << i;
  }
}

TEST_F(BceTest, ExtremeLogitsStayFinite) {
  at::Tensor logits = grid({1e4, -1e4}, 1, 1).to(at::kFloat).set_requires_grad(true);
  const at::Tensor out = make()->forward(logits, grid({0, 1}, 1, 1).to(at::kFloat));
  EXPECT_FLOAT_EQ(out.item<float>(), 1e4F);
  out.sum().backward();
  EXPECT_TRUE(at::isfinite(logits.grad()).all().item<bool>());
}

TEST_F(BceTest, RefusesWhatMakesNoSense) {
  EXPECT_THROW(make({{"smoothing", Value(0.6), {}}}), Error);
  EXPECT_THROW(make({{"pos_weight", Value(-1.0), {}}}), Error);
  EXPECT_THROW(make({{"gamma", Value(1.0), {}}}), Error);
}

}  // namespace
}  // namespace nephron::host
