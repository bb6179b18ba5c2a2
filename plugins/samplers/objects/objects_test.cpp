#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/parameter_check.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <tests/support/fake_catalog.hpp>

namespace nephron::host {
namespace {

constexpr int n = 6000;

class ObjectsTest : public testing::Test {
 protected:
  std::shared_ptr<Sampler> make(Value::Table params = {}) {
    return registry_.create<Sampler>(ComponentSpec{"objects", Value(std::move(params)), {}}, context_);
  }
  static std::vector<Window> draw(const Sampler& sampler, const FakeCatalog& c, std::int64_t window = 96) {
    std::vector<Window> out;
    for (int i = 0; i < n; ++i) {
      Rng rng(5, "sampler", 0, static_cast<std::uint64_t>(i));
      out.push_back(sampler.draw(c, window, i, rng));
    }
    return out;
  }
  static bool holds(const Region& outer, const Region& inner) { return inner.clipped(outer) == inner; }
  static Region tile_of(const Window& w, std::int64_t tile) {
    const std::int64_t margin = (w.region.width - tile) / 2;
    return {w.region.x + margin, w.region.y + margin, tile, tile};
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"objects", "sampler"};
};

TEST_F(ObjectsTest, EachIsMetAsOftenAsAnyOtherAndItsTileHoldsIt) {
  FakeCatalog c;
  c.add("a", {1000, 900}, 1), c.add("a", {700, 700}, 1), c.add("a", {500, 500}, 0);
  c.boxes[0] = {{300, 300, 60, 60}, {500, 600, 3, 2}};
  c.boxes[1] = {{400, 100, 30, 9}};
  c.group_shares = {{"a", 1.0}};
  const auto sampler = make({{"background", 0.0, {}}});
  std::map<std::pair<std::int64_t, std::size_t>, int> met;
  for (const Window& w : draw(*sampler, c)) {
    const auto& boxes = c.boxes[static_cast<std::size_t>(w.slide)];
    bool any = false;
    for (std::size_t i = 0; i < boxes.size(); ++i)
      if (holds(tile_of(w, 64), boxes[i])) ++met[{w.slide, i}], any = true;
    ASSERT_TRUE(any);
  }
  ASSERT_EQ(met.size(), 3U);
  for (const auto& [object, times] : met) EXPECT_NEAR(times, n / 3, 150);  // four standard deviations
  std::map<std::int64_t, int> slides;
  for (const Window& w : draw(*make({{"background", 0.0, {}}, {"slides", "alike", {}}}), c)) ++slides[w.slide];
  EXPECT_NEAR(slides[0], n / 2, 155);
  EXPECT_EQ(slides.count(2), 0U);
}

TEST_F(ObjectsTest, ATileLiesWithinALargerObjectAndOnTheSlide) {
  FakeCatalog c;
  c.add("a", {1000, 900}, 1);
  c.boxes[0] = {{0, 200, 900, 300}};
  c.group_shares = {{"a", 1.0}};
  std::int64_t least = 1000, most = 0;
  for (const Window& w : draw(*make({{"background", 0.0, {}}}), c)) {
    EXPECT_TRUE(holds({0, 0, 1000, 900}, w.region));
    const Region tile = tile_of(w, 64);
    EXPECT_TRUE(holds({0, 200, 900, 300}, tile)) << tile.x << ", " << tile.y;
    least = std::min(least, tile.y), most = std::max(most, tile.y);
  }
  EXPECT_LT(least, 210);
  EXPECT_GT(most, 426);
}

TEST_F(ObjectsTest, WithoutObjectsWindowsLieAnywhere) {
  FakeCatalog c;
  c.add("a", {300, 300}, 0), c.add("b", {50, 40}, 0);
  c.group_shares = {{"a", 0.5}, {"b", 0.5}};
  std::map<std::int64_t, int> slides;
  for (const Window& w : draw(*make(), c)) ++slides[w.slide];
  EXPECT_NEAR(slides[0], n / 2, 155);
  EXPECT_THROW(make({{"slides", "pixels", {}}}), Error);
  struct : ParameterFaults {
    void add(std::string_view, const std::string& message, const std::string&) override { said += message; }
    std::string said;
  } faults;
  dynamic_cast<const ParameterCheck&>(*make({{"classes", Value(Value::Array{"clas"}), {}}}))
      .check_parameters({"class"}, faults);
  EXPECT_THAT(faults.said, testing::HasSubstr("\"classes\" names \"clas\""));
}

}  // namespace
}  // namespace nephron::host
