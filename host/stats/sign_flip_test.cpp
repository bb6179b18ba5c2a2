#include <host/stats/sign_flip.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/rng.hpp>

#include <host/stats/moments.hpp>
#include <tests/support/error_of.hpp>

namespace nephron::host {
namespace {

/// Counts what the test counts, choice by choice.
double listed_p(const std::vector<double>& d, double shift) {
  double seen = 0, size = 0;
  for (const double v : d) seen += v - shift, size += std::abs(v - shift);
  std::size_t low = 0, high = 0;
  for (std::size_t signs = 0; signs < std::size_t{1} << d.size(); ++signs) {
    double sum = 0;
    for (std::size_t i = 0; i < d.size(); ++i) sum += (signs >> i & 1) != 0 ? shift - d[i] : d[i] - shift;
    low += sum <= seen + 1e-12 * size ? 1 : 0, high += sum >= seen - 1e-12 * size ? 1 : 0;
  }
  return std::min(1.0, 2.0 * static_cast<double>(std::min(low, high)) / std::ldexp(1.0, static_cast<int>(d.size())));
}

std::vector<double> normal(Rng& rng, std::size_t n, double mean = 0) {
  std::vector<double> out(n);
  for (double& v : out) v = mean + rng.normal();
  return out;
}

TEST(SignFlip, CountsEveryChoice) {
  Rng rng(1, "test");
  for (std::size_t n = 1; n <= 12; ++n) {
    std::vector<double> d = normal(rng, n, 0.3);
    EXPECT_DOUBLE_EQ(SignFlipTest(d).p(), listed_p(d, 0)) << n;
    for (double& v : d) v = std::round(v * 4) / 4;  // with ties and zeros
    EXPECT_DOUBLE_EQ(SignFlipTest(d).p(), listed_p(d, 0)) << n;
    EXPECT_DOUBLE_EQ(SignFlipTest(d).p(0.25), listed_p(d, 0.25)) << n;
  }
}

TEST(SignFlip, KnowsWhatItCannotSay) {
  EXPECT_DOUBLE_EQ(least_sign_flip_p(5), 0.0625);
  EXPECT_DOUBLE_EQ(least_sign_flip_p(least_differences), 0.03125);
  const std::vector<double> five{1, 2, 3, 4, 5}, six{1, 2, 3, 4, 5, 6};
  EXPECT_DOUBLE_EQ(SignFlipTest(five).p(), 0.0625);
  EXPECT_EQ(SignFlipTest(five).interval().low, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(SignFlipTest(six).interval().low, 1);
  EXPECT_EQ(SignFlipTest(six).interval().high, 6);
  EXPECT_DOUBLE_EQ(SignFlipTest(std::vector<double>(8, 0.0)).p(), 1);
  EXPECT_EQ(error_of([] { SignFlipTest(std::vector<double>{}); }), "a sign-flip test of no differences");
  EXPECT_EQ(error_of([] {
              SignFlipTest(std::vector<double>{1, std::nan("")});
            }),
            "a sign-flip test of a difference that is no number");
}

/// Interval and p are one statement: at its ends the test does not refuse, right outside it does.
void expect_agreement(const SignFlipTest& test, const Interval& interval, double level, double scale) {
  for (const auto& [end, outwards] : {std::pair{interval.low, -1.0}, std::pair{interval.high, 1.0}}) {
    EXPECT_GT(test.p(end), 1 - level);
    EXPECT_GT(test.p(end - outwards * 1e-9 * scale), 1 - level);
    EXPECT_LE(test.p(end + outwards * 1e-9 * scale), 1 - level);
  }
}

TEST(SignFlip, TheIntervalIsTheTestInverted) {
  Rng rng(2, "test");
  for (const std::size_t n : {6, 7, 9, 12, 17, 22, 23, 60})
    for (const double rounded : {0.0, 8.0}) {
      SCOPED_TRACE(n);
      std::vector<double> d = normal(rng, n, 0.4);
      if (rounded > 0)
        for (double& v : d) v = std::round(v * rounded) / rounded;
      const SignFlipTest test(d, 5, 20000);
      EXPECT_EQ(test.exact(), n <= SignFlipTest::most_exact);
      for (const double level : {0.95, 0.9}) {
        const Interval interval = test.interval(level);
        EXPECT_TRUE(interval.holds(test.mean()));
        expect_agreement(test, interval, level, 1);
        EXPECT_EQ(test.p() > 1 - level, interval.holds(0));
      }
    }
}

TEST(SignFlip, TheIntervalIsAnOrderedMeanOfSubsets) {
  Rng rng(3, "test");
  const std::vector<double> d = normal(rng, 11);
  std::vector<double> means;
  for (std::size_t set = 1; set < std::size_t{1} << d.size(); ++set) {
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < d.size(); ++i)
      if ((set >> i & 1) != 0) sum += d[i], ++count;
    means.push_back(sum / count);
  }
  std::sort(means.begin(), means.end());
  const std::size_t k = 51;  // floor(.025 * 2048)
  EXPECT_NEAR(SignFlipTest(d).interval().low, means[k - 1], 1e-15);
  EXPECT_NEAR(SignFlipTest(d).interval().high, means[means.size() - k], 1e-15);
}

TEST(SignFlip, DrawsAreNearAllAndRepeat) {
  Rng rng(4, "test");
  const std::vector<double> d = normal(rng, 24, 0.35);
  const SignFlipTest one(d, 7), again(d, 7), other(d, 8);
  EXPECT_EQ(one.p(), again.p());
  EXPECT_EQ(one.interval().low, again.interval().low);
  EXPECT_NEAR(one.p(), other.p(), 0.01);
  EXPECT_GE(SignFlipTest(std::vector<double>(50, 1.0)).p(), 2.0 / 100001) << "never 0";
}

/// How often the interval holds the true mean.
double covered(std::size_t n, std::size_t times, std::size_t draws) {
  std::size_t held = 0;
  for (std::size_t i = 0; i < times; ++i) {
    Rng rng(11, "coverage", n, i);
    held += SignFlipTest(normal(rng, n, 0.7), i, draws).interval().holds(0.7) ? 1 : 0;
  }
  return static_cast<double>(held) / static_cast<double>(times);
}

TEST(SignFlip, CoversWhatItSays) {
  for (const std::size_t n : {6, 8, 12, 20, 50}) {
    const double share = covered(n, 2000, 2000);
    EXPECT_GT(share, 0.95 - 3 * std::sqrt(0.95 * 0.05 / 2000)) << n;
    EXPECT_LT(share, n == 6 ? 0.985 : 0.97) << n << ": not wider than it needs to be";
    RecordProperty("covered_" + std::to_string(n), std::to_string(share));
  }
}

TEST(SignFlip, FindsNothingWhereNothingIs) {
  for (const std::size_t n : {6, 8, 12, 20, 50}) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < 1000; ++i) {
      Rng a(21, "a", n, i), b(21, "b", n, i);
      std::vector<double> d(n);
      for (double& v : d) v = a.normal() - b.normal();
      found += SignFlipTest(d, i, 2000).p() < 0.05 ? 1 : 0;
    }
    EXPECT_LE(static_cast<double>(found), 1000 * (0.05 + 3 * std::sqrt(0.05 * 0.95 / 1000))) << n;
    EXPECT_GT(found, 10U) << n << ": a test that never refuses proves nothing";
  }
}

}  // namespace
}  // namespace nephron::host
