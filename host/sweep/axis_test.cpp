#include <host/sweep/axis.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/config/load.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;

std::vector<Axis> axes_of(const std::string& toml, Diagnostics* faults = nullptr) {
  Diagnostics own;
  Diagnostics& told = faults != nullptr ? *faults : own;
  std::vector<Axis> out = read_axes(parse_toml(toml, "sweep.toml"), told);
  EXPECT_TRUE(own.empty()) << report(own);
  return out;
}

/// The greatest distance between the draws' distribution function and the right one.
double distance(std::vector<double> draws, const std::function<double(double)>& right) {
  std::sort(draws.begin(), draws.end());
  double out = 0;
  const auto n = static_cast<double>(draws.size());
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const double at = right(draws[i]);
    out = std::max({out, std::abs(at - static_cast<double>(i) / n), std::abs(at - static_cast<double>(i + 1) / n)});
  }
  return out;
}

std::vector<double> draws_of(const Axis& axis, int count, std::uint64_t seed = 7) {
  std::vector<double> out;
  for (int t = 0; t < count; ++t) out.push_back(draw(axis, seed, static_cast<std::uint64_t>(t)).number());
  return out;
}

TEST(Axis, DrawsAreAFunctionOfSeedTrialAndKeyAlone) {
  const Axis lr = axes_of("train.optimizer.lr = { log = [1e-4, 1e-2] }")[0];
  const Axis beside = axes_of("a.b = [1, 2]\ntrain.optimizer.lr = { log = [1e-4, 1e-2] }")[1];
  std::vector<double> backwards;
  for (int t = 99; t >= 0; --t)
    backwards.insert(backwards.begin(), draw(beside, 7, static_cast<std::uint64_t>(t)).number());
  EXPECT_EQ(draws_of(lr, 100), backwards);
  EXPECT_NE(draws_of(lr, 100, 8), backwards);
  const Axis other = axes_of("train.optimizer.eps = { log = [1e-4, 1e-2] }")[0];
  EXPECT_NE(draws_of(other, 100), backwards);
}

// Kolmogorov and Smirnov: 1.63 / sqrt(n) is passed by one of a hundred true samples; these are fixed by their seed.
TEST(Axis, DistributionsAreWhatTheirNamesSay) {
  constexpr int n = 20000;
  const double bound = 1.63 / std::sqrt(n);
  const double span = std::log(1e-2 / 1e-4);
  EXPECT_LT(distance(draws_of(axes_of("x = { log = [1e-4, 1e-2] }")[0], n),
                     [&](double v) { return std::log(v / 1e-4) / span; }),
            bound);
  EXPECT_LT(distance(draws_of(axes_of("x = { uniform = [-3, 5] }")[0], n), [](double v) { return (v + 3) / 8; }),
            bound);
  EXPECT_GT(distance(draws_of(axes_of("x = { uniform = [1e-4, 1e-2] }")[0], n),
                     [&](double v) { return std::log(v / 1e-4) / span; }),
            0.3);
}

TEST(Axis, IntegersReachBothEndsAndEachAsOftenAsItsRoom) {
  const std::vector<double> dice = draws_of(axes_of("x = { int = [1, 6] }")[0], 60000);
  for (int face = 1; face <= 6; ++face)
    EXPECT_NEAR(static_cast<double>(std::count(dice.begin(), dice.end(), face)), 10000, 400) << face;
  const std::vector<double> sizes = draws_of(axes_of("x = { log_int = [1, 64] }")[0], 60000);
  EXPECT_EQ(*std::min_element(sizes.begin(), sizes.end()), 1);
  EXPECT_EQ(*std::max_element(sizes.begin(), sizes.end()), 64);
  const double whole = std::log(64.5 / 0.5);
  EXPECT_NEAR(static_cast<double>(std::count(sizes.begin(), sizes.end(), 8)) / 60000, std::log(8.5 / 7.5) / whole,
              0.004);
}

TEST(Axis, AGridHasItsEndsAndEqualSteps) {
  const Axis axis = axes_of("x = { log = [1e-4, 1e-2], count = 3 }")[0];
  ASSERT_EQ(size_of(axis), 3);
  EXPECT_EQ(point(axis, 0), Value(1e-4));
  EXPECT_EQ(point(axis, 1), Value(1e-3));
  EXPECT_EQ(point(axis, 2), Value(1e-2));
  EXPECT_EQ(size_of(axes_of("x = { uniform = [0, 1] }")[0]), 0);
}

TEST(Axis, ValuesKnowWhereTheyWereWritten) {
  const Axis axis = axes_of("\nx.y = { uniform = [0, 1] }")[0];
  EXPECT_EQ(draw(axis, 1, 1).source.str(), axis.source.str());
  EXPECT_THAT(axis.source.str(), HasSubstr("sweep.toml:2:"));
  EXPECT_EQ(axis.key.text(), "x.y");
}

struct Fault {
  const char* toml;
  const char* message;
};
class AxisFault : public testing::TestWithParam<Fault> {};

TEST_P(AxisFault, IsOneClearError) {
  Diagnostics faults;
  EXPECT_TRUE(axes_of(GetParam().toml, &faults).empty());
  ASSERT_EQ(faults.size(), 1U) << report(faults);
  EXPECT_THAT(faults[0].message + " / " + faults[0].hint, HasSubstr(GetParam().message));
  EXPECT_GT(faults[0].source.line, 0);
}

INSTANTIATE_TEST_SUITE_P(All, AxisFault,
                         testing::Values(Fault{"x = { log = [0, 1] }", "a logarithm needs more than 0"},
                                         Fault{"x = { log = [1e-2, 1e-4] }", "the second must be greater"},
                                         Fault{"x = { uniform = [nan, 1] }", "two finite numbers"},
                                         Fault{"x = { uniform = [0, inf] }", "two finite numbers"},
                                         Fault{"x = { uniform = [1] }", "two finite numbers"},
                                         Fault{"x = { int = [1, 2.5] }", "two integers"},
                                         Fault{"x = { int = [1, 3], count = 10 }", "less than 10 values"},
                                         Fault{"x = { lgo = [1e-4, 1e-2] }", "did you mean \"log\"?"},
                                         Fault{"x = { log = [1e-4, 1e-2], cuont = 3 }", "no distribution"},
                                         Fault{"x = { log = [1, 2], int = [1, 2] }", "two distributions"},
                                         Fault{"x = { count = 3 }", "varies nothing"},
                                         Fault{"x = { log = [1, 2], count = 1 }", "from 2 to"},
                                         Fault{"x = []", "has no values"}, Fault{"x = {}", "has no values"},
                                         Fault{"x = 3", "varies nothing"},
                                         Fault{"x = { type = \"resnet34\" }", "varies nothing"},
                                         Fault{"x = [1, 2, 1]", "the value 1 twice"}));

}  // namespace
}  // namespace nephron::host
