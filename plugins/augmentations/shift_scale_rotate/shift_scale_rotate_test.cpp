#include <cmath>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/augmentation_fixture.hpp>

namespace nephron::host {
namespace {

class ShiftScaleRotateTest : public AugmentationFixture {
 protected:
  ShiftScaleRotateTest() : AugmentationFixture("shift_scale_rotate") {}
};

/// Scale of x, scale of y, angle in degrees, shift of the centre.
struct Read {
  double sx, sy, angle, dx, dy;
};
Read read(const Affine& a, Size size) {
  const Point c{static_cast<double>(size.width) / 2 - 0.5, static_cast<double>(size.height) / 2 - 0.5};
  const Point moved = a(c);
  return {std::hypot(a.m[0], a.m[3]), std::hypot(a.m[1], a.m[4]), -std::atan2(a.m[3], a.m[0]) * 180 / 3.14159265358979,
          moved.x - c.x, moved.y - c.y};
}

TEST_F(ShiftScaleRotateTest, StaysInItsLimitsAndReachesThem) {
  for (const char* compat : {"2021", "2.0.8"}) {
    const bool today = std::string_view(compat) == "2.0.8";
    const auto a = make({{"compat", compat, {}}});
    double most_shift = 0, most_scale = 0, most_angle = 0, most_ratio = 0;
    for (std::uint64_t i = 0; i < 3000; ++i) {
      const Size size{384, 200};
      const WrittenPlan plan = draw(*a, i, size);
      EXPECT_EQ(*plan.border, Border::reflect_101);
      const Read r = read(*plan.map, size);
      EXPECT_LE(std::abs(r.dx), 38.4 + 1e-9);
      EXPECT_LE(std::abs(r.dy), 20 + 1e-9);
      EXPECT_LE(std::abs(r.angle), 90 + 1e-9);
      EXPECT_GE(r.sx, 0.9 - 1e-9);
      EXPECT_LE(r.sy, 1.1 + 1e-9);
      const bool whole = std::abs(r.dx - std::round(r.dx)) < 1e-9 && std::abs(r.dy - std::round(r.dy)) < 1e-9;
      EXPECT_TRUE(whole || !today);
      most_shift = std::max(most_shift, std::abs(r.dx)), most_scale = std::max(most_scale, std::abs(r.sx - 1));
      most_angle = std::max(most_angle, std::abs(r.angle)),
      most_ratio = std::max(most_ratio, std::abs(r.sx / r.sy - 1));
    }
    EXPECT_GT(most_shift, 37);
    EXPECT_GT(most_scale, 0.099);
    EXPECT_GT(most_angle, 89);
    EXPECT_TRUE(today ? most_ratio > 0.1 : most_ratio < 1e-9) << most_ratio;
  }
}

TEST_F(ShiftScaleRotateTest, BorderAndCompatAreChecked) {
  EXPECT_EQ(*draw(*make({{"border", "constant", {}}}), 1).border, Border::constant);
  EXPECT_THROW(make({{"border", "wrap", {}}}), Error);
  EXPECT_THROW(make({{"compat", "2019", {}}}), Error);
}

}  // namespace
}  // namespace nephron::host
