#include <cmath>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <tests/support/written_plan.hpp>

namespace nephron::host {
namespace {

class FlipTest : public testing::Test {
 protected:
  std::shared_ptr<Augmentation> make(Value::Table params = {}) {
    return registry_.create<Augmentation>(ComponentSpec{"flip", Value(std::move(params)), {}}, context_);
  }
  static WrittenPlan draw(const Augmentation& a, std::uint64_t index, Size size = {384, 200}) {
    Rng rng(3, "augmentation[0]", 0, index);
    WrittenPlan plan;
    a.draw(sample_of(size), rng, plan);
    EXPECT_EQ(plan.calls, 1);
    return plan;
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"flip", "augmentation[0]"};
};

TEST_F(FlipTest, EachDirectionHasItsOwnProbability) {
  const auto a = make({{"horizontal", 0.3, {}}, {"vertical", 0.8, {}}});
  int h = 0, v = 0, both = 0;
  constexpr int n = 5000;
  for (int i = 0; i < n; ++i) {
    const auto [horizontal, vertical] = *draw(*a, static_cast<std::uint64_t>(i)).flips;
    h += horizontal, v += vertical, both += horizontal && vertical;
  }
  EXPECT_NEAR(h, n * 0.3, 130);  // four standard deviations
  EXPECT_NEAR(v, n * 0.8, 115);
  EXPECT_NEAR(both, n * 0.24, 122);
}

TEST_F(FlipTest, WrongProbabilityIsNamed) { EXPECT_THROW(make({{"vertical", -0.1, {}}}), Error); }

}  // namespace
}  // namespace nephron::host
