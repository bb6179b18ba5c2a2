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

class BalancedTest : public testing::Test {
 protected:
  std::shared_ptr<Sampler> make(Value::Table params = {}) {
    return registry_.create<Sampler>(ComponentSpec{"balanced", Value(std::move(params)), {}}, context_);
  }
  static std::map<std::int64_t, int> slides(const Sampler& sampler, const FakeCatalog& c) {
    std::map<std::int64_t, int> out;
    for (int i = 0; i < n; ++i) {
      Rng rng(5, "sampler", 0, static_cast<std::uint64_t>(i));
      ++out[sampler.draw(c, 100, i, rng).slide];
    }
    return out;
  }
  /// Two classes: a common one on two slides, a rare one on a third.
  static FakeCatalog rare() {
    FakeCatalog c;
    c.names = {"common", "rare"};
    for (int i = 0; i < 3; ++i) c.add("a", {500, 500}, 0, {200, 200, 60, 60});
    c.entries[0].foreground = {3000, 0};
    c.entries[1].foreground = {1000, 0};
    c.entries[2].foreground = {0, 5};
    c.group_shares = {{"a", 1.0}};
    return c;
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"balanced", "sampler"};
};

TEST_F(BalancedTest, ARareClassIsMetAsOftenAsACommonOne) {
  const auto drawn = slides(*make({{"background", 0.0, {}}}), rare());
  EXPECT_NEAR(drawn.at(2), n / 2, 155);  // four standard deviations
  EXPECT_NEAR(drawn.at(0), n / 4, 135);
  const auto by_pixels = slides(*make({{"background", 0.0, {}}, {"slides", "pixels", {}}}), rare());
  EXPECT_NEAR(by_pixels.at(0), n * 3 / 8, 150);
}

TEST_F(BalancedTest, ClassesAreNamed) {
  const auto drawn = slides(*make({{"background", 0.0, {}}, {"classes", Value(Value::Array{"rare"}), {}}}), rare());
  EXPECT_EQ(drawn.size(), 1U);
  const auto sampler = make({{"classes", Value(Value::Array{"rar"}), {}}});
  struct : ParameterFaults {
    void add(std::string_view, const std::string& message, const std::string&) override { said += message; }
    std::string said;
  } faults;
  dynamic_cast<const ParameterCheck&>(*sampler).check_parameters({"common", "rare"}, faults);
  EXPECT_THAT(faults.said, testing::HasSubstr("\"rar\""));
}

TEST_F(BalancedTest, WindowsHoldTheirPixelAndStayOnTheSlide) {
  FakeCatalog c;
  c.add("a", {500, 400}, 9, {0, 390, 10, 10});
  c.group_shares = {{"a", 1.0}};
  const auto sampler = make({{"background", 0.0, {}}});
  for (int i = 0; i < 500; ++i) {
    Rng rng(5, "sampler", 0, static_cast<std::uint64_t>(i));
    const Region r = sampler->draw(c, 100, i, rng).region;
    EXPECT_FALSE(r.clipped(c.labels[0]).empty());
    EXPECT_TRUE(r.x >= 0 && r.y >= 0 && r.x + 100 <= 500 && r.y + 100 <= 400);
  }
}

TEST_F(BalancedTest, SharesOfGroupsHoldAndGroupsWithoutLabelsAreServed) {
  FakeCatalog c = rare();
  c.add("b", {300, 300}, 0);
  c.group_shares = {{"a", 0.7}, {"b", 0.3}};
  const auto drawn = slides(*make(), c);
  EXPECT_NEAR(drawn.at(3), n * 0.3, 145);
}

}  // namespace
}  // namespace nephron::host
