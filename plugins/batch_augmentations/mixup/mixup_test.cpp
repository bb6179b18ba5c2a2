// mixup through its shared object, as the host loads it.
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <nephron/partners.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

class MixUpTest : public testing::Test {
 protected:
  std::shared_ptr<BatchAugmentation> make(double alpha) {
    return registry_.create<BatchAugmentation>(
        ComponentSpec{"mixup", Value(Value::Table{{"alpha", Value(alpha), {}}}), {}}, context_);
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"mixup", "batch_augmentation[0]"};
};

TEST_F(MixUpTest, ImagesAndTargetsAreMixedAlike) {
  const auto mixup = make(1.0);
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Batch before(at::rand({5, 3, 6, 6}), at::rand({5, 2, 6, 6}),
                       at::tensor({1.0F, 0.5F, 0.0F, 1.0F, 1.0F}).view({5, 1}).expand({5, 2}).contiguous());
    Batch after(before.images(), before.targets(), before.weights());
    Rng rng(seed, "test");
    mixup->apply(after, rng);
    Rng again(seed, "test");
    const at::Tensor partners = draw_partners(before, again);
    const double own = again.beta(1.0, 1.0);
    for (const auto& [now, was] :
         {std::pair(after.images(), before.images()), std::pair(after.targets(), before.targets())})
      EXPECT_TRUE(at::allclose(now, own * was + (1 - own) * was.index_select(0, partners)));
    for (int i = 0; i < 5; ++i)
      EXPECT_EQ(after.weights()[i][0].item<float>(),
                std::min(before.weights()[i][0].item<float>(),
                         before.weights()[partners[i].item<std::int64_t>()][0].item<float>()));
  }
}

}  // namespace
}  // namespace nephron::host
