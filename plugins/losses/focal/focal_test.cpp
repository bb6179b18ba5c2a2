// focal through its shared object, as the host loads it.
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

class FocalTest : public testing::Test {
 protected:
  std::shared_ptr<Loss> make(Value::Table params = {}) {
    return registry_.create<Loss>(ComponentSpec{"focal", Value(std::move(params)), {}}, context_);
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"focal", "loss.terms[0]"};
};

/// [N, C, 1, 2] of doubles.
at::Tensor grid(std::initializer_list<double> values, std::int64_t n, std::int64_t c) {
  return at::tensor(std::vector<double>(values)).view({n, c, 1, 2});
}
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST_F(FocalTest, ValuesByHand) {
  const at::Tensor logits = grid({0.5, -1, 2, 0}, 1, 2), target = grid({1, 0, 0, 1}, 1, 2);
  const at::Tensor out = make({{"gamma", Value(1.5), {}}, {"alpha", Value(0.3), {}}})->forward(logits, target);
  ASSERT_EQ(out.sizes(), (at::IntArrayRef{1, 2}));
  const auto hit = [](double x) { return -0.3 * std::pow(1 - sigmoid(x), 1.5) * std::log(sigmoid(x)); };
  const auto calm = [](double x) { return -0.7 * std::pow(sigmoid(x), 1.5) * std::log(1 - sigmoid(x)); };
  EXPECT_NEAR(out[0][0].item<double>(), (hit(0.5) + calm(-1)) / 2, 1e-12);
  EXPECT_NEAR(out[0][1].item<double>(), (calm(2) + hit(0)) / 2, 1e-12);
}

TEST_F(FocalTest, GradientsOfSaturatedLogitsStayFinite) {
  for (const double gamma : {0.0, 0.5, 1.0, 2.0}) {
    at::Tensor logits = grid({200, -200}, 1, 1).to(at::kFloat).set_requires_grad(true);
    make({{"gamma", Value(gamma), {}}})->forward(logits, grid({1, 1}, 1, 1).to(at::kFloat)).sum().backward();
    EXPECT_TRUE(at::isfinite(logits.grad()).all().item<bool>()) << "gamma " << gamma;
  }
}

}  // namespace
}  // namespace nephron::host
