#include <map>

#include <gtest/gtest.h>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <tests/support/fake_catalog.hpp>

namespace nephron::host {
namespace {

class UniformTest : public testing::Test {
 protected:
  std::shared_ptr<Sampler> make(Value::Table params = {}) {
    return registry_.create<Sampler>(ComponentSpec{"uniform", Value(std::move(params)), {}}, context_);
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"uniform", "sampler"};
};

TEST_F(UniformTest, SharesAndPlacesAreEven) {
  FakeCatalog c;
  c.add("a", {300, 200}, 0);
  c.add("b", {300, 200}, 0);
  c.add("b", {600, 400}, 0);
  c.group_shares = {{"a", 0.25}, {"b", 0.75}};
  for (const bool by_area : {false, true}) {
    const auto sampler = make({{"slides", by_area ? "area" : "equal", {}}});
    EXPECT_EQ(sampler->count(c, 100), 0);
    std::map<std::int64_t, int> slides;
    double mean_x = 0;
    constexpr int n = 8000;
    for (int i = 0; i < n; ++i) {
      Rng rng(1, "sampler", 0, static_cast<std::uint64_t>(i));
      const Window w = sampler->draw(c, 100, i, rng);
      ++slides[w.slide];
      const Size size = c.entries[static_cast<std::size_t>(w.slide)].size;
      EXPECT_EQ(w.region.clipped({0, 0, size.width, size.height}), w.region);
      mean_x += static_cast<double>(w.region.x) / static_cast<double>(size.width - 100) / n;
    }
    EXPECT_NEAR(slides[0], n / 4, 160);
    EXPECT_NEAR(slides[1], by_area ? n * 0.15 : n * 0.375, 180);
    EXPECT_NEAR(mean_x, 0.5, 0.015);
  }
}

TEST_F(UniformTest, ASmallSlideLiesInsideTheWindow) {
  FakeCatalog c;
  c.add("a", {50, 200}, 0);
  c.group_shares = {{"a", 1.0}};
  for (int i = 0; i < 200; ++i) {
    Rng rng(1, "sampler", 0, static_cast<std::uint64_t>(i));
    const Window w = make()->draw(c, 100, i, rng);
    EXPECT_LE(w.region.x, 0);
    EXPECT_GE(w.region.x + 100, 50);
    EXPECT_GE(w.region.y, 0);
  }
}

}  // namespace
}  // namespace nephron::host
