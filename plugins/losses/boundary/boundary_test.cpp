// boundary through its shared object, as the host loads it.
#include <cmath>

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <nephron/loss_input.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

class BoundaryTest : public testing::Test {
 protected:
  std::shared_ptr<InputLoss> make(Value::Table params = {}) {
    return std::dynamic_pointer_cast<InputLoss>(
        registry_.create<Loss>(ComponentSpec{"boundary", Value(std::move(params)), {}}, context_));
  }
  /// A row of six pixels, two of them foreground.
  LossInput row(double progress) const {
    const at::Tensor target = at::tensor(std::vector<double>{0, 0, 1, 1, 0, 0}).view({1, 1, 1, 6});
    LossInput input(at::zeros({1, 1, 1, 6}, at::kDouble), target);
    input.set_distance(signed_distance(target).to(at::kDouble));
    input.set_progress(progress, 0);
    return input;
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"boundary", "loss.terms[0]"};
};

TEST_F(BoundaryTest, DistancesByHand) {
  const at::Tensor d = row(0).distance().view(-1);
  const double expected[] = {2, 1, 0, 0, 1, 2};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(d[i].item<double>(), expected[i]) << i;
  at::Tensor square = at::zeros({1, 1, 7, 7});
  square.narrow(2, 2, 3).narrow(3, 2, 3).fill_(1);
  const at::Tensor s = signed_distance(square)[0][0];
  EXPECT_EQ(s[3][3].item<double>(), -1);
  EXPECT_EQ(s[2][2].item<double>(), 0);
  EXPECT_FLOAT_EQ(s[0][0].item<float>(), std::sqrt(8.0F));
  EXPECT_EQ(s[0][3].item<double>(), 2);
  EXPECT_EQ(signed_distance(at::zeros({1, 2, 4, 4})).abs().sum().item<double>(), 0);
  EXPECT_EQ(signed_distance(at::ones({1, 2, 4, 4})).abs().sum().item<double>(), 0);
}

TEST_F(BoundaryTest, TheFactorRises) {
  const auto loss = make({{"start", Value(0.2), {}}, {"end", Value(1.0), {}}, {"over", Value(0.5), {}}});
  const double mean = 0.5 * 6 / 6;
  EXPECT_NEAR(loss->value(row(0)).item<double>(), 0.2 * mean, 1e-12);
  EXPECT_NEAR(loss->value(row(0.25)).item<double>(), 0.6 * mean, 1e-12);
  EXPECT_NEAR(loss->value(row(0.75)).item<double>(), mean, 1e-12);
}

TEST_F(BoundaryTest, PixelsThatDoNotCountAreLeftOut) {
  const auto loss = make({{"start", Value(1.0), {}}});
  LossInput input = row(0);
  input.set_pixel_weights(at::tensor(std::vector<double>{0, 0, 1, 1, 1, 1}).view({1, 1, 1, 6}));
  EXPECT_NEAR(loss->value(input).item<double>(), 0.5 * 3 / 4, 1e-12);
}

TEST_F(BoundaryTest, PlainCallsMakeTheDistance) {
  const std::shared_ptr<Loss> loss = make({{"start", Value(1.0), {}}, {"normalised", Value(true), {}}});
  const LossInput input = row(0);
  EXPECT_NEAR(loss->forward(input.logits(), input.target()).item<double>(), 0.5 / 6, 1e-6);
}

}  // namespace
}  // namespace nephron::host
