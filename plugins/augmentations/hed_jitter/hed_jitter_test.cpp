#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/augmentation_fixture.hpp>

namespace nephron::host {
namespace {

class HedJitterTest : public AugmentationFixture {
 protected:
  HedJitterTest() : AugmentationFixture("hed_jitter") {}
};

constexpr double stains[3][3] = {{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}, {0.27, 0.57, 0.78}};

/// The densities of a mixture of the three stains.
std::array<double, 3> densities(const std::array<double, 3>& amounts) {
  std::array<double, 3> out{};
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t k = 0; k < 3; ++k) out[c] += amounts[k] * stains[k][c];
  return out;
}

std::array<double, 3> times(const std::array<float, 12>& m, const std::array<double, 3>& d, double one) {
  std::array<double, 3> out{};
  for (std::size_t c = 0; c < 3; ++c)
    out[c] = double(m[4 * c]) * d[0] + double(m[4 * c + 1]) * d[1] + double(m[4 * c + 2]) * d[2] +
             one * double(m[4 * c + 3]);
  return out;
}

TEST_F(HedJitterTest, EachStainIsScaledByItself) {
  const auto a = make({{"scale", 0.2, {}}, {"shift", 0, {}}});
  std::array<double, 3> least{2, 2, 2}, most{0, 0, 0};
  double apart = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto m = *draw(*a, i).densities;
    std::array<double, 3> scales{};
    for (std::size_t k = 0; k < 3; ++k) {
      std::array<double, 3> pure{};
      pure[k] = 1;
      const auto before = densities(pure), after = times(m, before, 1);
      scales[k] = after[0] / before[0];
      for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(after[c], scales[k] * before[c], 1e-5);  // the stain stays
      least[k] = std::min(least[k], scales[k]), most[k] = std::max(most[k], scales[k]);
    }
    apart = std::max(apart, std::abs(scales[0] - scales[1]));
  }
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_GE(least[k], 0.8 - 1e-5);
    EXPECT_LT(least[k], 0.81);
    EXPECT_LE(most[k], 1.2 + 1e-5);
    EXPECT_GT(most[k], 1.19);
  }
  EXPECT_GT(apart, 0.3);
}

TEST_F(HedJitterTest, ShiftsAddStain) {
  const auto a = make({{"scale", 0, {}}, {"shift", 0.1, {}}});
  double most = 0;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const auto added = times(*draw(*a, i).densities, {0, 0, 0}, 1);
    const auto reach = densities({0.1, 0.1, 0.1});
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_LE(std::abs(added[c]), reach[c] + 1e-6);
      most = std::max(most, std::abs(added[c]) / reach[c]);
    }
  }
  EXPECT_GT(most, 0.9);
}

TEST_F(HedJitterTest, NothingToDoIsTheIdentity) {
  const WrittenPlan plan = draw(*make({{"scale", 0, {}}, {"shift", 0, {}}}), 1);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR((*plan.densities)[i], i % 5 == 0 ? 1 : 0, 1e-6);
  EXPECT_EQ(*plan.white, (std::array<float, 3>{255, 255, 255}));
}

TEST_F(HedJitterTest, TheWidestJitterIsWithinWhatAPlanTakes) {
  const auto a = make({{"scale", 1, {}}, {"shift", 2, {}}, {"white", Value::Array{1, 255, 240}, {}}});
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const auto m = *draw(*a, i).densities;
    for (std::size_t j = 0; j < 12; ++j) EXPECT_LE(std::abs(m[j]), j % 4 == 3 ? 20 : 4);
  }
}

TEST_F(HedJitterTest, WrongParametersAreNamed) {
  EXPECT_THROW(make({{"scale", 1.5, {}}}), Error);
  EXPECT_THROW(make({{"white", Value::Array{0, 255, 255}, {}}}), Error);
}

}  // namespace
}  // namespace nephron::host
