#include <cmath>
#include <fstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <host/stats/bootstrap.hpp>
#include <host/stats/distributions.hpp>
#include <host/stats/paired.hpp>
#include <host/stats/power.hpp>
#include <host/stats/sign_flip.hpp>
#include <host/stats/variance.hpp>
#include <tests/support/peers_python.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

using nlohmann::json;
using Numbers = std::vector<double>;

class StatsParity : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(peers_python()))
      GTEST_SKIP() << "no Python with the peers at " << peers_python() << ": ./nephron peers makes it";
    if (std::system((peers_python().string() + " -c 'import scipy, statsmodels' 2>/dev/null").c_str()) != 0)
      GTEST_SKIP() << peers_python() << " has not both scipy and statsmodels: ./nephron peers installs them";
    static const json once = run("none.json");
    peer_ = once;
  }
  json run(const std::string& given) const {
    const std::filesystem::path out = scratch_.path() / "out.json";
    const std::string command = peers_python().string() + " " NEPHRON_SOURCE_DIR "/tests/parity/stats/stats.py " +
                                (scratch_.path() / given).string() + " " + out.string();
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
    return json::parse(std::ifstream(out));
  }

  ScratchFolder scratch_{"stats"};
  json peer_;
};

TEST_F(StatsParity, SignFlipIsScipysPermutationTest) {
  for (const auto& [name, figures] : peer_.at("cases").items())
    EXPECT_NEAR(SignFlipTest(figures.at("differences").get<Numbers>()).p(), figures.at("sign_flip").get<double>(),
                1e-12)
        << name;
}

TEST_F(StatsParity, TheEndsOfTheIntervalAreWhereScipyRefuses) {
  json asked = json::array();
  std::vector<Interval> intervals;
  for (const auto& [name, figures] : peer_.at("cases").items()) {
    const auto d = figures.at("differences").get<Numbers>();
    const SignFlipTest test(d);
    const Interval i = test.interval();
    if (!std::isfinite(i.low)) continue;
    intervals.push_back(i);
    const double out = 1e-7;
    asked.push_back({{"name", name}, {"differences", d}, {"shifts", {i.low, i.high, i.low - out, i.high + out}}});
  }
  ASSERT_GT(asked.size(), 10U);
  std::ofstream(scratch_.path() / "asked.json") << asked;
  const json said = run("asked.json");
  for (std::size_t i = 0; i < asked.size(); ++i) {
    SCOPED_TRACE(asked[i].at("name"));
    const SignFlipTest test(asked[i].at("differences").get<Numbers>());
    const auto shifts = asked[i].at("shifts").get<Numbers>(), p = said[i].get<Numbers>();
    for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(test.p(shifts[k]), p[k], 1e-12) << "shift " << k;
    EXPECT_GT(p[0], 0.05);
    EXPECT_GT(p[1], 0.05);
    EXPECT_LE(p[2], 0.05);
    EXPECT_LE(p[3], 0.05);
  }
}

void expect_near(const Interval& found, const Numbers& expected) {
  const double width = expected[1] - expected[0];
  EXPECT_NEAR(found.low, expected[0], 0.01 * width);
  EXPECT_NEAR(found.high, expected[1], 0.01 * width);
}

TEST_F(StatsParity, BootstrapOfPooledFiguresIsScipys) {
  for (const json& one : peer_.at("pooled")) {
    const auto data = one.at("data").get<std::vector<Numbers>>();  // of both sides: pixels in common, and of either
    const std::size_t donors = data[0].size();
    const BootstrapIntervals ours = bootstrap({donors, 200000, 1}, [&](std::span<const std::uint32_t> drawn) {
      double sums[4] = {};
      for (const std::uint32_t d : drawn)
        for (std::size_t k = 0; k < 4; ++k) sums[k] += data[k][d];
      return 2 * (sums[2] / sums[3] - sums[0] / sums[1]);
    });
    SCOPED_TRACE(donors);
    expect_near(ours.percentile, one.at("percentile").get<Numbers>());
    expect_near(ours.bca, one.at("BCa").get<Numbers>());
  }
}

TEST_F(StatsParity, BootstrapIsScipys) {
  for (const json& one : peer_.at("bootstrap")) {
    const auto d = one.at("differences").get<Numbers>();
    const BootstrapIntervals ours = bootstrap_mean(d, 200000, 1);
    SCOPED_TRACE(d.size());
    expect_near(ours.percentile, one.at("percentile").get<Numbers>());
    expect_near(ours.bca, one.at("BCa").get<Numbers>());
  }
}

TEST_F(StatsParity, SignedRankAndStudentsTest) {
  int ranked = 0, tested = 0;
  for (const auto& [name, figures] : peer_.at("cases").items()) {
    const auto d = figures.at("differences").get<Numbers>();
    if (figures.contains("wilcoxon")) {
      EXPECT_NEAR(signed_rank(d).p, figures.at("wilcoxon").get<double>(), 1e-12) << name;
      ++ranked;
    }
    if (figures.contains("t")) {
      EXPECT_NEAR(paired_t(d).p, figures.at("t").get<double>(), 1e-12) << name;
      ++tested;
    }
  }
  EXPECT_GT(ranked, 15);
  EXPECT_GT(tested, 15);
}

TEST_F(StatsParity, HolmIsStatsmodels) {
  const Numbers ours = holm(peer_.at("holm").at("p").get<Numbers>());
  EXPECT_THAT(ours, testing::Pointwise(testing::DoubleNear(1e-14), peer_.at("holm").at("adjusted").get<Numbers>()));
}

TEST_F(StatsParity, MeanSquaresAreStatsmodels) {
  const json& said = peer_.at("components");
  const CrossedVariance crossed = crossed_variance(said.at("table").get<std::vector<Numbers>>());
  EXPECT_NEAR(crossed.donors.value, said.at("crossed").at("donors"), 1e-12);
  EXPECT_NEAR(crossed.seeds.value, said.at("crossed").at("seeds"), 1e-12);
  EXPECT_NEAR(crossed.rest.value, said.at("crossed").at("rest"), 1e-12);
  const NestedVariance nested = nested_variance(said.at("groups").get<std::vector<Numbers>>());
  EXPECT_NEAR(nested.donors.value, said.at("nested").at("donors"), 1e-12);
  EXPECT_NEAR(nested.slides.value, said.at("nested").at("slides"), 1e-12);
}

TEST_F(StatsParity, DonorsForEightyPercentAreStatsmodels) {
  // As many differences as a normal distribution has quantiles: the shape that TTestPower supposes.
  Numbers shape;
  for (int i = 0; i < 2000; ++i) shape.push_back(normal_quantile((i + 0.5) / 2000));
  for (const json& one : peer_.at("power")) {
    const PowerModel model({shape, one.at("dz").get<double>(), 0, 1, 0, 0, {}, false}, 1, 20000);
    const double expected = one.at("donors");
    const auto found = donors_for(model, {}, 0.8, 1000);
    ASSERT_TRUE(found);
    EXPECT_NEAR(*found, expected, 0.05 * expected + 0.5) << one.at("dz");  // whole donors
  }
}

}  // namespace
}  // namespace nephron::host
