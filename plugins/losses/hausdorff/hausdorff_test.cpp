// hausdorff through its shared object, as the host loads it.
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/loss_input.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

class HausdorffTest : public testing::Test {
 protected:
  std::shared_ptr<InputLoss> make(Value::Table params = {}) {
    return std::dynamic_pointer_cast<InputLoss>(
        registry_.create<Loss>(ComponentSpec{"hausdorff", Value(std::move(params)), {}}, context_));
  }
  static at::Tensor row(std::initializer_list<double> values) {
    return at::tensor(std::vector<double>(values)).view({1, 1, 1, 6});
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"hausdorff", "loss.terms[0]"};
  static constexpr double sure = 50;  // its probability is 1 to the last bit
  const at::Tensor target_ = row({0, 0, 1, 1, 0, 0});
};

TEST_F(HausdorffTest, ValuesByHand) {
  // From the true boundary: 2 1 1 1 1 2; the prediction misses pixel 2 and has pixel 5: 3 2 1 1 1 1.
  const at::Tensor logits = row({-sure, -sure, -sure, sure, -sure, sure});
  EXPECT_NEAR(make()->forward(logits, target_).item<double>(), (1 + 1 + 4 + 1) / 6.0, 1e-6);
  EXPECT_NEAR(make({{"one_sided", Value(true), {}}})->forward(logits, target_).item<double>(), (1 + 4) / 6.0, 1e-6);
  EXPECT_NEAR(make({{"normalised", Value(true), {}}})->forward(logits, target_).item<double>(), 7 / 36.0 / 6, 1e-6);
}

TEST_F(HausdorffTest, PlanesWithoutABoundaryHaveNoDistance) {
  const at::Tensor none = row({-sure, -sure, -sure, -sure, -sure, -sure});
  // Nothing is predicted: the two pixels that are missed lie 1 from the true boundary.
  EXPECT_NEAR(make()->forward(none, target_).item<double>(), 2 / 6.0, 1e-6);
  EXPECT_EQ(make()->forward(none, row({1, 1, 1, 1, 1, 1})).item<double>(), 0);
}

TEST_F(HausdorffTest, AsksForWhatItNeeds) {
  EXPECT_EQ(make()->needs(), LossNeeds::distance | LossNeeds::predicted_distance);
  EXPECT_EQ(make({{"one_sided", Value(true), {}}})->needs(), LossNeeds::distance);
  const LossInput bare(target_, target_);
  EXPECT_THROW(make()->value(bare), Error);
}

TEST_F(HausdorffTest, OtherLogitsHaveDistancesOfTheirOwn) {
  const auto loss = make();
  LossInput first(row({-sure, sure, sure, sure, -sure, -sure}), target_);
  first.provide(loss->needs());
  LossInput second = first.with_logits(row({-sure, -sure, -sure, sure, -sure, sure}));
  EXPECT_THROW(loss->value(second), Error) << "the distance of other logits was kept";
  second.provide(loss->needs());
  EXPECT_NEAR(loss->value(second).item<double>(), 7 / 6.0, 1e-6);
  EXPECT_TRUE(second.distance().is_same(first.distance())) << "the target's was made again";
}

}  // namespace
}  // namespace nephron::host
