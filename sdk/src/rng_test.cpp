#include <nephron/rng.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace nephron {
namespace {

using Block = std::array<std::uint32_t, 4>;

// Known answers of Random123 1.14, tests/kat_vectors, "philox4x32 10".
TEST(Philox, GivesTheKnownAnswersOfRandom123) {
  EXPECT_EQ(detail::philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(detail::philox({ones, ones, ones, ones}, {ones, ones}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(detail::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// A run is resumed, and compared with older ones, by its seed alone: the stream of a key must never change.
TEST(Rng, StreamIsPinned) {
  Rng a(42, "augmentation[2]", 3, 17);
  const std::uint64_t first = a.bits64();
  EXPECT_EQ(Rng(42, "augmentation[2]", 3, 17).bits64(), first);
  EXPECT_EQ(first, 0x82ae887220787f71ULL);
}

TEST(Rng, EveryPartOfTheKeyCounts) {
  std::set<std::uint64_t> seen;
  int streams = 0;
  for (const std::uint64_t seed : {0, 1, 2})
    for (const char* path : {"", "a", "b", "ab"})
      for (std::uint64_t epoch = 0; epoch < 5; ++epoch)
        for (std::uint64_t index = 0; index < 50; ++index, ++streams)
          seen.insert(Rng(seed, path, epoch, index).bits64());
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(streams));
}

TEST(Rng, ForkLeavesItsParentAlone) {
  Rng a(1, "x"), b(1, "x");
  a.bits();
  b.bits();
  Rng child = a.fork("part");
  child.bits();
  EXPECT_EQ(a.bits64(), b.bits64());
  EXPECT_EQ(Rng(1, "x", 0, 5).fork("part").bits64(), Rng(1, "x", 0, 5).fork("part").bits64());
  EXPECT_NE(Rng(1, "x", 0, 5).fork("part").bits64(), Rng(1, "x", 0, 6).fork("part").bits64());
  EXPECT_NE(Rng(1, "x").fork("part").bits64(), Rng(1, "x").fork("other").bits64());
}

TEST(Rng, CopyContinuesOnItsOwn) {
  Rng a(1, "x");
  a.bits();
  Rng b = a;
  const std::vector<std::uint32_t> left{a.bits(), a.bits(), a.bits(), a.bits(), a.bits()};
  const std::vector<std::uint32_t> right{b.bits(), b.bits(), b.bits(), b.bits(), b.bits()};
  EXPECT_EQ(left, right);
}

constexpr int draws = 200000;

struct Moments {
  double mean = 0;
  double variance = 0;
};
template <class Draw>
Moments moments(Draw draw) {
  double sum = 0, squares = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
  }
  const double mean = sum / draws;
  return {mean, squares / draws - mean * mean};
}

// Bounds below are five standard errors of each estimate; the seeds are fixed.
TEST(Rng, UniformIsUniform) {
  Rng rng(7, "uniform");
  double low = 1, high = 0;
  const Moments m = moments([&] {
    const double x = rng.uniform();
    low = std::min(low, x), high = std::max(high, x);
    return x;
  });
  EXPECT_NEAR(m.mean, 0.5, 5 * std::sqrt(1.0 / 12 / draws));
  EXPECT_NEAR(m.variance, 1.0 / 12, 5 * std::sqrt(1.0 / 180 / draws));
  EXPECT_GE(low, 0);
  EXPECT_LT(high, 1);
  EXPECT_EQ(rng.uniform(3, 3), 3);
}

TEST(Rng, IntegersAreEvenAndInRange) {
  Rng rng(7, "integer");
  std::array<int, 7> count{};
  for (int i = 0; i < draws; ++i) {
    const std::int64_t x = rng.integer(-3, 3);
    ASSERT_GE(x, -3);
    ASSERT_LE(x, 3);
    ++count[static_cast<std::size_t>(x + 3)];
  }
  double chi = 0;
  for (const int n : count) chi += (n - draws / 7.0) * (n - draws / 7.0) / (draws / 7.0);
  EXPECT_LT(chi, 22.5);  // 99.9 % of chi-squared with 6 degrees
  EXPECT_EQ(rng.integer(5, 5), 5);
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  std::set<bool> signs;
  for (int i = 0; i < 64; ++i) signs.insert(rng.integer(least, most) < 0);
  EXPECT_EQ(signs.size(), 2u);
}

TEST(Rng, ChanceKeepsItsProbability) {
  Rng rng(7, "chance");
  const Moments m = moments([&] { return rng.chance(0.3) ? 1.0 : 0.0; });
  EXPECT_NEAR(m.mean, 0.3, 5 * std::sqrt(0.21 / draws));
  EXPECT_FALSE(rng.chance(0));
  EXPECT_TRUE(rng.chance(1));
}

TEST(Rng, NormalHasItsMoments) {
  Rng rng(7, "normal");
  const Moments m = moments([&] { return rng.normal(); });
  EXPECT_NEAR(m.mean, 0, 5 * std::sqrt(1.0 / draws));
  EXPECT_NEAR(m.variance, 1, 5 * std::sqrt(2.0 / draws));
}

TEST(Rng, GammaAndBetaHaveTheirMoments) {
  for (const double shape : {0.3, 1.0, 4.5}) {
    Rng rng(7, "gamma");
    const Moments m = moments([&] { return rng.gamma(shape); });
    EXPECT_NEAR(m.mean, shape, 5 * std::sqrt(shape / draws)) << shape;
    EXPECT_NEAR(m.variance, shape, 5 * std::sqrt((2 * shape * shape + 6 * shape) / draws)) << shape;
  }
  Rng rng(7, "beta");
  const Moments m = moments([&] { return rng.beta(2, 3); });
  EXPECT_NEAR(m.mean, 0.4, 5 * std::sqrt(0.04 / draws));
  EXPECT_NEAR(m.variance, 0.04, 0.001);
}

// Neighbouring samples of one component must not move together.
TEST(Rng, NeighbouringStreamsAreUncorrelated) {
  double sum = 0;
  constexpr int n = 100000;
  for (std::uint64_t i = 0; i < n; ++i)
    sum += (Rng(1, "a", 0, i).uniform() - 0.5) * (Rng(1, "a", 0, i + 1).uniform() - 0.5);
  EXPECT_NEAR(sum / n * 12, 0, 5 / std::sqrt(n));
}

}  // namespace
}  // namespace nephron
