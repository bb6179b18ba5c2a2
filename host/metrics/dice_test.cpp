#include <host/metrics/dice.hpp>

#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(Dice, CountsByHand) {
  const Overlap o = overlap_of(Bytes{1, 255, 0, 7, 0}, Bytes{255, 0, 0, 1, 1});
  EXPECT_EQ(o.both, 2);
  EXPECT_EQ(o.predicted, 3);
  EXPECT_EQ(o.truth, 3);
  EXPECT_NEAR(o.dice(), 2.0 * 2 / 6, 1e-8);
}

TEST(Dice, EmptyCases) {
  EXPECT_DOUBLE_EQ(overlap_of(Bytes(9, 0), Bytes(9, 0)).dice(), 1);
  EXPECT_NEAR(overlap_of(Bytes(9, 1), Bytes(9, 0)).dice(), 0, 2e-9);
  EXPECT_DOUBLE_EQ(overlap_of(Bytes{}, Bytes{}).dice(), 1);
}

TEST(Dice, PartsAddUp) {
  const Bytes a{1, 0, 1, 1, 0, 0, 1}, b{1, 1, 0, 1, 0, 1, 1};
  Overlap parts = overlap_of(std::span(a).first(3), std::span(b).first(3));
  parts += overlap_of(std::span(a).subspan(3), std::span(b).subspan(3));
  EXPECT_DOUBLE_EQ(parts.dice(), overlap_of(a, b).dice());
}

TEST(Dice, LeavesOutWhatIsIgnored) {
  const Overlap o = overlap_of(Bytes{1, 255, 0, 7, 0}, Bytes{255, 0, 0, 1, 1}, Bytes{0, 1, 0, 0, 255});
  EXPECT_EQ(o.both, 2);
  EXPECT_EQ(o.predicted, 2);
  EXPECT_EQ(o.truth, 2);
  EXPECT_DOUBLE_EQ(overlap_of(Bytes{1, 0}, Bytes{0, 1}, Bytes{1, 1}).dice(), 1) << "nothing is known";
  EXPECT_THROW(overlap_of(Bytes(3), Bytes(3), Bytes(2)), Error);
}

TEST(Dice, RefusesDifferentSizes) { EXPECT_THROW(overlap_of(Bytes(3), Bytes(4)), Error); }

TEST(Spread, MeanAndDeviation) {
  const std::array<double, 4> values{1, 2, 3, 6};
  EXPECT_DOUBLE_EQ(spread_of(values).mean, 3);
  EXPECT_NEAR(spread_of(values).deviation, std::sqrt(3.5), 1e-12);
  EXPECT_EQ(spread_of({}).mean, 0);
}

}  // namespace
}  // namespace nephron::host
