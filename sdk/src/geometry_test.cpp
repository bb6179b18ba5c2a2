#include <nephron/geometry.hpp>

#include <limits>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron {
namespace {

void expect_at(Point p, double x, double y) {
  EXPECT_NEAR(p.x, x, 1e-12);
  EXPECT_NEAR(p.y, y, 1e-12);
}

TEST(Region, ClipsToWhatBothShare) {
  const Region a{10, 20, 30, 40};
  EXPECT_EQ(a.clipped({0, 0, 100, 100}), a);
  EXPECT_EQ(a.clipped({15, 0, 10, 100}), (Region{15, 20, 10, 40}));
  EXPECT_EQ(a.clipped({-5, -5, 20, 30}), (Region{10, 20, 5, 5}));
  EXPECT_EQ(a.clipped({40, 20, 5, 5}), (Region{}));  // touching edges share no pixel
  EXPECT_TRUE(a.clipped({10, 20, 0, 40}).empty());
}

TEST(Affine, PositiveRotationIsCounterClockwiseOnTheScreen) {
  expect_at(Affine::rotation(90)({1, 0}), 0, -1);  // y points down
  expect_at(Affine::rotation(90).about({5, 5})({6, 5}), 5, 4);
}

TEST(Affine, ThenComposesInOrder) {
  const Affine both = Affine::scaling(2, 3).then(Affine::translation(10, 20));
  expect_at(both({1, 1}), 12, 23);
  expect_at(Affine::translation(10, 20).then(Affine::scaling(2, 3))({1, 1}), 22, 63);
}

TEST(Affine, InverseUndoesIt) {
  const Affine map =
      Affine::rotation(33).then(Affine::scaling(0.7, 1.9)).then(Affine::translation(-4, 11)).about({3, 8});
  const Point there = map({17, -2});
  expect_at(map.inverse()(there), 17, -2);
}

TEST(Affine, SingularMapsHaveNoInverse) {
  EXPECT_THROW(Affine::scaling(0, 1).inverse(), Error);
  EXPECT_THROW((Affine{{std::numeric_limits<double>::quiet_NaN(), 0, 0, 0, 1, 0}}.inverse()), Error);
}

}  // namespace
}  // namespace nephron
