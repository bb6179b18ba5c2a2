// cutmix through its shared object, as the host loads it.
#include <set>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>

#include <nephron/batch_augmentation.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

class CutMixTest : public testing::Test {
 protected:
  std::shared_ptr<BatchAugmentation> make(Value::Table params = {}) {
    return registry_.create<BatchAugmentation>(ComponentSpec{"cutmix", Value(std::move(params)), {}}, context_);
  }
  /// Every pixel of a sample holds its number, in image and targets; the last sample counts 0 for class 1.
  static Batch numbered() {
    const at::Tensor numbers = at::arange(4).to(at::kFloat).view({4, 1, 1, 1});
    at::Tensor weights = at::ones({4, 2});
    weights[3][1] = 0;
    return {numbers.expand({4, 3, 16, 20}).contiguous(), (numbers / 4).expand({4, 2, 16, 20}).contiguous(), weights};
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"cutmix", "batch_augmentation[0]"};
};

TEST_F(CutMixTest, ImageTargetsAndWeightsComeFromTheSameSample) {
  const auto cutmix = make();
  std::set<double> shares;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Batch before = numbered();
    Batch after(before.images(), before.targets(), before.weights());
    Rng rng(seed, "test");
    cutmix->apply(after, rng);
    EXPECT_TRUE(at::equal(before.images(), numbered().images())) << "changed in place";
    EXPECT_TRUE(at::equal(after.images().narrow(1, 0, 2) / 4, after.targets()));
    const at::Tensor from = after.images().select(1, 0);
    EXPECT_TRUE(at::equal(after.spread_weights().select(1, 1), (from != 3).to(at::kFloat)));
    shares.insert((from[0] != 0).to(at::kFloat).mean().item<double>());
  }
  EXPECT_GT(shares.size(), 10U) << "boxes of one size";
  EXPECT_LT(*shares.begin(), 0.1);
  EXPECT_GT(*shares.rbegin(), 0.4);
}

TEST_F(CutMixTest, OneSampleStaysAsItIs) {
  Batch batch(at::ones({1, 3, 8, 8}), at::ones({1, 1, 8, 8}), at::ones({1, 1}));
  Rng rng(1, "test");
  make()->apply(batch, rng);
  EXPECT_FALSE(batch.pixel_weights().defined());
}

TEST_F(CutMixTest, RefusesWhatMakesNoSense) {
  EXPECT_THROW(make({{"alpha", Value(0.0), {}}}), Error);
  EXPECT_THROW(make({{"least", Value(1.5), {}}}), Error);
}

}  // namespace
}  // namespace nephron::host
