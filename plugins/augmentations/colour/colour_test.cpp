#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/augmentation_fixture.hpp>

namespace nephron::host {
namespace {

class ColourTest : public AugmentationFixture {
 protected:
  ColourTest() : AugmentationFixture("gamma") {}
};

/// The colour at a node of a cube of 33 nodes a side.
std::array<float, 3> node(const WrittenPlan& plan, std::size_t r, std::size_t g, std::size_t b) {
  const float* at = plan.cube.data() + 3 * (r + 33 * (g + 33 * b));
  return {at[0], at[1], at[2]};
}

TEST_F(ColourTest, GammaKeepsBothEndsAndOrder) {
  const auto a = make({{"limit", Value::Array{50, 200}, {}}});
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto t = (*draw(*a, i).table)[1];
    EXPECT_TRUE(std::is_sorted(t.begin(), t.end()));
    EXPECT_EQ(t[0], 0);
    EXPECT_GE(t[255], 254);  // truncation may take one
  }
}

TEST_F(ColourTest, ShiftsAreDrawnForEachChannel) {
  const auto a = make("rgb_shift", {{"red", 30, {}}, {"green", 0, {}}, {"blue", 30, {}}});
  int apart = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto t = *draw(*a, i).table;
    EXPECT_EQ(t[1][100], 100);
    EXPECT_LE(std::abs(t[0][100] - 100), 30);
    apart += t[0][100] != t[2][100];
  }
  EXPECT_GT(apart, 150);
}

TEST_F(ColourTest, HuesTurnAndGreyStays) {
  // A third of a circle takes red to green or to blue.
  const auto a = make("hue_saturation_value", {{"hue", 90, {}}, {"saturation", 0, {}}, {"value", 0, {}}});
  double most_green = 0, most_blue = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const WrittenPlan plan = draw(*a, i);
    for (const std::size_t v : {0U, 16U, 32U}) {
      const auto grey = node(plan, v, v, v);
      for (const float c : grey) EXPECT_NEAR(c, 255.0 * double(v) / 32, 1e-3);
    }
    const auto red = node(plan, 32, 0, 0);
    EXPECT_NEAR(*std::max_element(red.begin(), red.end()), 255, 1e-3);
    EXPECT_NEAR(*std::min_element(red.begin(), red.end()), 0, 1e-3);
    most_green = std::max<double>(most_green, red[1]), most_blue = std::max<double>(most_blue, red[2]);
  }
  EXPECT_NEAR(most_green, 255, 1e-3);
  EXPECT_NEAR(most_blue, 255, 1e-3);
}

TEST_F(ColourTest, JitterOfNothingTurnsHuesByOneStepAtMost) {
  const auto a =
      make("color_jitter", {{"brightness", 0, {}}, {"contrast", 0, {}}, {"saturation", 0, {}}, {"hue", 1e-9, {}}});
  for (std::uint64_t i = 0; i < 20; ++i) {  // a turn below 0 is truncated to a whole step, 2 degrees: as Albumentations
    const WrittenPlan plan = draw(*a, i);
    const auto colour = node(plan, 5, 20, 31), grey = node(plan, 9, 9, 9);
    EXPECT_NEAR(colour[0], 255.0 * 5 / 32, 1e-3);
    EXPECT_NEAR(colour[1], 255.0 * 20 / 32, 255.0 * 26 / 32 / 30 + 1e-3);
    EXPECT_NEAR(colour[2], 255.0 * 31 / 32, 1e-3);
    for (const float c : grey) EXPECT_NEAR(c, 255.0 * 9 / 32, 1e-3);
  }
}

TEST_F(ColourTest, JitterWithoutHuesIsTablesAndAMatrix) {
  const auto a = make("color_jitter", {{"hue", 0, {}}});
  Rng rng(3, "augmentation[0]");
  WrittenPlan plan;
  a->draw(sample_of({32, 32}), rng, plan);
  EXPECT_EQ(plan.calls, 3);
  EXPECT_TRUE(plan.table.has_value());
  ASSERT_TRUE(plan.colours.has_value());
  for (std::size_t row = 0; row < 3; ++row)  // what is grey stays grey
    EXPECT_NEAR((*plan.colours)[4 * row] + (*plan.colours)[4 * row + 1] + (*plan.colours)[4 * row + 2], 1, 1e-6);
}

TEST_F(ColourTest, WrongParametersAreNamed) {
  EXPECT_THROW(make({{"limit", Value::Array{120, 80}, {}}}), Error);
  EXPECT_THROW(make("color_jitter", {{"hue", 0.6, {}}}), Error);
  EXPECT_THROW(make("to_gray", {{"method", "pca", {}}}), Error);
}

}  // namespace
}  // namespace nephron::host
