#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <tests/support/fake_catalog.hpp>

namespace nephron::host {
namespace {

class GridTest : public testing::Test {
 protected:
  std::vector<Window> all(Value::Table params, std::int64_t window) {
    const auto sampler = registry_.create<Sampler>(ComponentSpec{"grid", Value(std::move(params)), {}}, context_);
    std::vector<Window> out;
    Rng rng(1, "sampler");
    for (std::int64_t i = 0; i < sampler->count(catalog_, window); ++i)
      out.push_back(sampler->draw(catalog_, window, i, rng));
    return out;
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"grid", "validation_sampler"};
  FakeCatalog catalog_;
};

TEST_F(GridTest, CoversEveryPixelOfEverySlideOnce) {
  catalog_.add("a", {230, 100}, 0);
  catalog_.add("a", {64, 40}, 0);
  catalog_.group_shares = {{"a", 1.0}};
  for (const double overlap : {0.0, 0.5}) {
    const auto windows = all({{"overlap", overlap, {}}}, 64);
    std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>> places;
    for (std::size_t s = 0; s < 2; ++s) {
      const Size size = catalog_.entries[s].size;
      std::vector<bool> seen(static_cast<std::size_t>(size.area()));
      for (const Window& w : windows) {
        places.insert({w.slide, w.region.x, w.region.y});
        if (w.slide != static_cast<std::int64_t>(s)) continue;
        const Region in = w.region.clipped({0, 0, size.width, size.height});
        for (std::int64_t y = in.y; y < in.y + in.height; ++y)
          for (std::int64_t x = in.x; x < in.x + in.width; ++x)
            seen[static_cast<std::size_t>(y * size.width + x)] = true;
      }
      EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](bool b) { return b; }))
          << "slide " << s << " overlap " << overlap;
    }
    EXPECT_EQ(places.size(), windows.size());
    EXPECT_EQ(windows.size(), overlap > 0 ? 7U * 3 + 1 : 4U * 2 + 1);
  }
  EXPECT_EQ(all({}, 64).back().region, (Region{0, -12, 64, 64}));
}

TEST_F(GridTest, MostSpreadsOverAll) {
  for (int i = 0; i < 10; ++i) catalog_.add("a", {640, 64}, 0);
  catalog_.group_shares = {{"a", 1.0}};
  const auto windows = all({{"most", 20, {}}}, 64);
  ASSERT_EQ(windows.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(windows[i].slide, static_cast<std::int64_t>(i / 2));
}

}  // namespace
}  // namespace nephron::host
