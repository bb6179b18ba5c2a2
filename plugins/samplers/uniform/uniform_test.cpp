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

// The tile is the window's middle: 64 of 100 px.
TEST_F(UniformTest, WindowsMayHaveToShowTissue) {
  FakeCatalog c;
  c.add("a", {1000, 1000}, 0);
  c.tissues[0] = {400, 300, 200, 100};
  c.group_shares = {{"a", 1.0}};
  const auto share = [&](const Window& w) {
    return static_cast<double>(c.tissue(0, {w.region.x + 18, w.region.y + 18, 64, 64})) / (64 * 64);
  };
  const auto anywhere = make(), half = make({{"tissue", 0.5, {}}}),
             hasty = make({{"tissue", 0.5, {}}, {"tries", 1, {}}});
  int on_glass = 0, left = 0;
  constexpr int n = 2000;
  for (int i = 0; i < n; ++i) {
    Rng rng(1, "sampler", 0, static_cast<std::uint64_t>(i)), same = rng, again = rng;
    const Window w = half->draw(c, 100, i, rng);
    ASSERT_GE(share(w), 0.5);
    left += w.region.x + 50 < 500 ? 1 : 0;
    const Window first = anywhere->draw(c, 100, i, same);
    on_glass += share(first) == 0 ? 1 : 0;
    ASSERT_EQ(hasty->draw(c, 100, i, again).region, first.region) << "the first place is the one without the rule";
  }
  EXPECT_GT(on_glass, n * 9 / 10);
  EXPECT_NEAR(left, n / 2, 90) << "places with enough tissue are alike";
  c.tissues[0] = {};
  Rng rng(1, "sampler", 0, 0);
  EXPECT_EQ(half->draw(c, 100, 0, rng).slide, 0) << "a slide of glass alone is drawn from all the same";
}

}  // namespace
}  // namespace nephron::host
