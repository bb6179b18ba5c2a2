#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <tests/support/fake_catalog.hpp>

namespace nephron::host {
namespace {

constexpr int n = 6000;

class GuidedTest : public testing::Test {
 protected:
  std::shared_ptr<Sampler> make(Value::Table params = {}) {
    return registry_.create<Sampler>(ComponentSpec{"guided", Value(std::move(params)), {}}, context_);
  }
  std::vector<Window> draw(const Sampler& sampler, const FakeCatalog& c, std::int64_t window = 100) {
    std::vector<Window> out;
    for (int i = 0; i < n; ++i) {
      Rng rng(5, "sampler", 0, static_cast<std::uint64_t>(i));
      out.push_back(sampler.draw(c, window, i, rng));
    }
    return out;
  }
  static bool on_spot(const FakeCatalog& c, const Window& w, std::int64_t half) {
    const std::int64_t x = w.region.x + w.region.width / 2, y = w.region.y + w.region.height / 2;
    return c.any_label(w.slide, {x - half, y - half, 2 * half, 2 * half}, 1);
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"guided", "sampler"};
};

TEST_F(GuidedTest, GroupsBySharesSlidesByForeground) {
  FakeCatalog c;
  c.add("kaggle", {500, 500}, 3000, {200, 200, 60, 60});
  c.add("kaggle", {500, 500}, 1000, {200, 200, 60, 60});
  c.add("external", {500, 500}, 7, {200, 200, 60, 60});
  c.group_shares = {{"kaggle", 0.8}, {"external", 0.2}};
  std::map<std::int64_t, int> slides;
  for (const Window& w : draw(*make(), c)) ++slides[w.slide];
  EXPECT_NEAR(slides[0], n * 0.6, 155);  // four standard deviations
  EXPECT_NEAR(slides[1], n * 0.2, 125);
  EXPECT_NEAR(slides[2], n * 0.2, 125);
}

// Of windows drawn evenly a share q is on the spot; of those kept it is q / (q + (1 - q) accept_random).
TEST_F(GuidedTest, KeepsOffSpotWindowsAtTheGivenRate) {
  FakeCatalog c;
  c.add("a", {500, 500}, 1, {230, 230, 40, 40});
  c.group_shares = {{"a", 1.0}};
  for (const double accept : {0.0, 0.1, 1.0}) {
    int on = 0;
    for (const Window& w : draw(*make({{"accept_random", accept, {}}}), c)) on += on_spot(c, w, 10);
    const double q = std::pow(59.0 / 401, 2);  // centres (50..450) with the label in [-10, 10)
    EXPECT_NEAR(on, n * q / (q + (1 - q) * accept), 165) << accept;
  }
}

TEST_F(GuidedTest, TheSquareMayHaveToBeLabelledByAShare) {
  FakeCatalog c;
  c.add("a", {500, 500}, 1, {200, 200, 90, 90});
  c.group_shares = {{"a", 1.0}};
  const auto share = [&](const Window& w) {
    const std::int64_t x = w.region.x + 50, y = w.region.y + 50;
    return static_cast<double>(c.count(w.slide, {x - 20, y - 20, 40, 40}, 1)) / 1600;
  };
  int little = 0;
  for (const Window& w : draw(*make({{"accept_random", 0.0, {}}, {"half_side", 20, {}}, {"least", 0.6, {}}}), c))
    ASSERT_GE(share(w), 0.6);
  for (const Window& w : draw(*make({{"accept_random", 0.0, {}}, {"half_side", 20, {}}}), c)) little += share(w) < 0.6;
  EXPECT_GT(little, n / 5);
}

// Of a slide that is mostly glass, windows without a label show tissue; those with one are as they were.
TEST_F(GuidedTest, WindowsWithoutALabelMayHaveToShowTissue) {
  FakeCatalog c;
  c.add("a", {2000, 2000}, 1, {230, 230, 40, 40});
  c.tissues[0] = {200, 200, 400, 400};
  c.group_shares = {{"a", 1.0}};
  int glass = 0, off = 0;
  for (const double tissue : {0.0, 0.3})
    for (const Window& w : draw(*make({{"tissue", tissue, {}}, {"accept_random", 1.0, {}}}), c)) {
      if (on_spot(c, w, 10)) continue;
      const double share = static_cast<double>(c.tissue(0, {w.region.x + 18, w.region.y + 18, 64, 64})) / (64 * 64);
      glass += tissue == 0 && share == 0;
      off += tissue > 0;
      ASSERT_GE(share, tissue);
    }
  EXPECT_GT(glass, n / 2);
  EXPECT_GT(off, n / 4);
}

TEST_F(GuidedTest, AGroupMayHaveItsOwnNumbers) {
  FakeCatalog c;
  c.add("near", {900, 900}, 1, {400, 400, 100, 100});
  c.add("far", {900, 900}, 1, {400, 400, 100, 100});
  c.group_shares = {{"near", 0.5}, {"far", 0.5}};
  Value group{Value::Table{}};
  group.set("name", "far");
  group.set("half_side", 250);
  group.set("accept_random", 0.0);
  const auto sampler = make({{"accept_random", 0.0, {}}, {"groups", Value::Array{group}, {}}});
  int far_beyond_ten = 0;
  for (const Window& w : draw(*sampler, c)) {
    EXPECT_TRUE(on_spot(c, w, w.slide == 0 ? 10 : 250));
    far_beyond_ten += w.slide == 1 && !on_spot(c, w, 10);
  }
  EXPECT_GT(far_beyond_ten, n / 4);
}

TEST_F(GuidedTest, SlidesWithoutLabelsAndSmallOnesEndAllTheSame) {
  FakeCatalog c;
  c.add("a", {60, 40}, 0);
  c.group_shares = {{"a", 1.0}};
  for (const Window& w : draw(*make({{"accept_random", 0.0, {}}, {"tries", 3, {}}}), c)) {
    EXPECT_EQ(w.slide, 0);
    EXPECT_LE(w.region.x, 0);
    EXPECT_GE(w.region.x + w.region.width, 60);
  }
}

TEST_F(GuidedTest, WrongParametersAreNamed) {
  EXPECT_THROW(make({{"accept_random", 1.5, {}}}), Error);
  EXPECT_THROW(make({{"half_side", 0, {}}}), Error);
  Value nameless{Value::Table{}};
  nameless.set("half_side", 20);
  EXPECT_THROW(make({{"groups", Value::Array{nameless}, {}}}), Error);
}

}  // namespace
}  // namespace nephron::host
