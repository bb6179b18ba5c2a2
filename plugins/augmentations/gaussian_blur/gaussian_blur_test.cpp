#include <cmath>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/augmentation_fixture.hpp>

namespace nephron::host {
namespace {

class GaussianBlurTest : public AugmentationFixture {
 protected:
  GaussianBlurTest() : AugmentationFixture("gaussian_blur") {}
};

double sum(const std::vector<float>& k) {
  double s = 0;
  for (const float v : k) s += v;
  return s;
}

TEST_F(GaussianBlurTest, KernelsAreOddSymmetricAndSumToOne) {
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

TEST_F(GaussianBlurTest, WrongLimitsAreNamed) {
  EXPECT_THROW(make({{"limit", Value::Array{4, 7}, {}}}), Error);
  EXPECT_THROW(make({{"limit", Value::Array{7, 5}, {}}}), Error);
  EXPECT_THROW(make({{"sigma", Value::Array{2.0, 1.0}, {}}}), Error);
}

}  // namespace
}  // namespace nephron::host
