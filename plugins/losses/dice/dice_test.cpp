// dice through its shared object, as the host loads it.
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

class DiceTest : public testing::Test {
 protected:
  std::shared_ptr<Loss> make(Value::Table params = {}, const std::string& type = "dice") {
    return registry_.create<Loss>(ComponentSpec{type, Value(std::move(params)), {}}, context_);
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"dice", "loss.terms[0]"};
};

/// [N, C, 1, 2] of doubles.
at::Tensor grid(std::initializer_list<double> values, std::int64_t n, std::int64_t c) {
  return at::tensor(std::vector<double>(values)).view({n, c, 1, 2});
}
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST_F(DiceTest, ValuesByHand) {
  const at::Tensor logits = grid({0.5, -1, 2, 0, -3, 1, 0, 4}, 2, 2), target = grid({1, 0, 0, 0, 0, 0.5, 0, 0}, 2, 2);
  const at::Tensor out = make()->forward(logits, target);
  ASSERT_EQ(out.sizes(), (at::IntArrayRef{1, 2}));
  const double p[] = {sigmoid(0.5), sigmoid(-1), sigmoid(-3), sigmoid(1)}, t[] = {1, 0, 0, 0.5};
  double both = 0, sum = 0;
  for (int i = 0; i < 4; ++i) both += std::min(p[i], t[i]), sum += p[i] + t[i];
  EXPECT_NEAR(out[0][0].item<double>(), 1 - 2 * both / sum, 1e-12);
  EXPECT_EQ(out[0][1].item<double>(), 0) << "a class without foreground says nothing";
}

TEST_F(DiceTest, PerSampleGivesOneAValue) {
  const at::Tensor logits = grid({0.5, -1, 2, 0}, 2, 1), target = grid({1, 0, 0, 1}, 2, 1);
  const at::Tensor out = make({{"per_sample", Value(true), {}}, {"log", Value(true), {}}})->forward(logits, target);
  ASSERT_EQ(out.sizes(), (at::IntArrayRef{2, 1}));
  const double score = 2 * sigmoid(0) / (sigmoid(2) + sigmoid(0) + 1);
  EXPECT_NEAR(out[1][0].item<double>(), -std::log(score), 1e-12);
}

TEST_F(DiceTest, TheFamilyByHand) {
  const at::Tensor logits = grid({0.5, -1}, 1, 1), target = grid({1, 0}, 1, 1);
  const double both = sigmoid(0.5), wrong = sigmoid(-1), missed = 1 - both;
  const auto value = [&](const std::string& type, Value::Table params = {}) {
    return make(std::move(params), type)->forward(logits, target).item<double>();
  };
  EXPECT_NEAR(value("jaccard"), 1 - both / (both + wrong + missed), 1e-12);
  const double tversky = 1 - both / (both + 0.3 * wrong + 0.7 * missed);
  EXPECT_NEAR(value("tversky"), tversky, 1e-12);
  EXPECT_NEAR(value("focal_tversky"), std::pow(tversky, 0.75), 1e-12);
  EXPECT_NEAR(value("tversky", {{"alpha", Value(0.5), {}}, {"beta", Value(0.5), {}}}), value("dice"), 1e-12);
  EXPECT_NEAR(value("dice", {{"overlap", Value("squares"), {}}}), 1 - 2 * both / (both * both + wrong * wrong + 1),
              1e-12);
  EXPECT_NEAR(value("dice", {{"overlap", Value("product"), {}}}), value("dice"), 1e-12) << "targets are 0 and 1";
}

TEST_F(DiceTest, AClassWithoutForegroundMayCount) {
  const at::Tensor logits = grid({0.5, -1}, 1, 1), target = grid({0, 0}, 1, 1);
  const Value::Table count{{"empty", Value("count"), {}}, {"smooth", Value(0.5), {}}};
  EXPECT_EQ(make()->forward(logits, target).item<double>(), 0);
  EXPECT_NEAR(make(count)->forward(logits, target).item<double>(), 1 - 0.5 / ((sigmoid(0.5) + sigmoid(-1)) / 2 + 0.5),
              1e-12);
}

TEST_F(DiceTest, ExtremeLogitsStayFinite) {
  at::Tensor logits = grid({-1e4, -1e4}, 1, 1).to(at::kFloat).set_requires_grad(true);
  const at::Tensor out = make({{"log", Value(true), {}}})->forward(logits, grid({1, 1}, 1, 1).to(at::kFloat));
  out.sum().backward();
  EXPECT_TRUE(at::isfinite(out).all().item<bool>());
  EXPECT_TRUE(at::isfinite(logits.grad()).all().item<bool>());
}

}  // namespace
}  // namespace nephron::host
