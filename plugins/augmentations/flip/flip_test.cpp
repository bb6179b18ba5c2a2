#include <cmath>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/augmentation_fixture.hpp>

namespace nephron::host {
namespace {

class FlipTest : public AugmentationFixture {
 protected:
  FlipTest() : AugmentationFixture("flip") {}
};

TEST_F(FlipTest, EachDirectionHasItsOwnProbability) {
  const auto a = make({{"horizontal", 0.3, {}}, {"vertical", 0.8, {}}});
  int h = 0, v = 0, both = 0;
  constexpr int n = 5000;
  for (int i = 0; i < n; ++i) {
    const auto [horizontal, vertical] = *draw(*a, static_cast<std::uint64_t>(i)).flips;
    h += horizontal, v += vertical, both += horizontal && vertical;
  }
  EXPECT_NEAR(h, n * 0.3, 130);  // four standard deviations
  EXPECT_NEAR(v, n * 0.8, 115);
  EXPECT_NEAR(both, n * 0.24, 122);
}

TEST_F(FlipTest, WrongProbabilityIsNamed) { EXPECT_THROW(make({{"vertical", -0.1, {}}}), Error); }

}  // namespace
}  // namespace nephron::host
