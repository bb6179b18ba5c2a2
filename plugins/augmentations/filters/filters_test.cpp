#include <cmath>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/augmentation_fixture.hpp>

namespace nephron::host {
namespace {

class FiltersTest : public AugmentationFixture {
 protected:
  FiltersTest() : AugmentationFixture("gaussian_blur") {}
};

double sum(const std::vector<float>& k) {
  double s = 0;
  for (const float v : k) s += v;
  return s;
}

TEST_F(FiltersTest, GaussiansAreOddSymmetricAndSumToOne) {
  for (const char* compat : {"2021", "2.0.8"}) {
    const auto a = make({{"limit", Value::Array{3, 11}, {}}, {"compat", compat, {}}});
    std::array<int, 14> sides{};
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const WrittenPlan plan = draw(*a, i);
      EXPECT_EQ(plan.horizontal, plan.vertical);
      const auto& k = plan.horizontal;
      ASSERT_LE(k.size(), 11U);
      ASSERT_EQ(k.size() % 2, 1U);
      EXPECT_NEAR(sum(k), 1, 1e-6);
      for (std::size_t j = 0; j < k.size(); ++j) EXPECT_EQ(k[j], k[k.size() - 1 - j]);
      ++sides[k.size()];
    }
    for (const std::size_t side : {3U, 5U, 7U, 9U, 11U}) EXPECT_GT(sides[side], 70) << compat << " " << side;
  }
}

double sum(const Image& kernel) {
  double s = 0;
  for (std::int64_t y = 0; y < kernel.size().height; ++y)
    for (std::int64_t x = 0; x < kernel.size().width; ++x) s += double(kernel.view().row<float>(y)[x]);
  return s;
}

TEST_F(FiltersTest, KernelsSumToOneAndHaveNoEmptyMargin) {
  const auto disk = make("defocus", {{"radius", Value::Array{3, 3}, {}}, {"alias_blur", Value::Array{0.1, 0.1}, {}}});
  const WrittenPlan plan = draw(*disk, 1);
  EXPECT_EQ(plan.kernel.size(), (Size{7, 7}));  // not 17 x 17: a filter costs its area
  EXPECT_NEAR(sum(plan.kernel), 1, 1e-6);
  for (const char* compat : {"2021", "2.0.8"}) {
    const auto line = make("motion_blur", {{"limit", Value::Array{3, 9}, {}}, {"compat", compat, {}}});
    for (std::uint64_t i = 0; i < 300; ++i) {
      const WrittenPlan drawn = draw(*line, i);
      EXPECT_NEAR(sum(drawn.kernel), 1, 1e-6);
      EXPECT_EQ(drawn.kernel.size().width % 2, 1);
      EXPECT_LE(drawn.kernel.size().width, 9);
    }
  }
  const auto sharper = make("sharpen", {{"method", "gaussian", {}}});
  for (std::uint64_t i = 0; i < 20; ++i) EXPECT_NEAR(sum(draw(*sharper, i).kernel), 1, 1e-5);
}

TEST_F(FiltersTest, WrongLimitsAreNamed) {
  EXPECT_THROW(make("median_blur", {{"limit", Value::Array{3, 6}, {}}}), Error);
  EXPECT_THROW(make("sharpen", {{"side", 4, {}}}), Error);
  EXPECT_THROW(make("defocus", {{"radius", Value::Array{5, 3}, {}}}), Error);
  EXPECT_THROW(make({{"limit", Value::Array{4, 7}, {}}}), Error);
  EXPECT_THROW(make({{"limit", Value::Array{7, 5}, {}}}), Error);
  EXPECT_THROW(make({{"sigma", Value::Array{2.0, 1.0}, {}}}), Error);
}

}  // namespace
}  // namespace nephron::host
