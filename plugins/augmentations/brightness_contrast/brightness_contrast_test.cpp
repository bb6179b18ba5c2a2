#include <algorithm>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/augmentation_fixture.hpp>

namespace nephron::host {
namespace {

class BrightnessContrastTest : public AugmentationFixture {
 protected:
  BrightnessContrastTest() : AugmentationFixture("brightness_contrast") {}
};

TEST_F(BrightnessContrastTest, TablesAreLinesWithinTheLimits) {
  const auto a = make({{"brightness", 0.1, {}}, {"contrast", 0.2, {}}});
  double darkest = 255, lightest = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const auto t = *draw(*a, i).table;
    EXPECT_EQ(t[0], t[1]);
    EXPECT_EQ(t[0], t[2]);
    EXPECT_TRUE(std::is_sorted(t[0].begin(), t[0].end()));
    EXPECT_LE(t[0][100], 100 * 1.2 + 25.5);
    EXPECT_GE(t[0][100], 100 * 0.8 - 25.5 - 1);
    darkest = std::min<double>(darkest, t[0][100]), lightest = std::max<double>(lightest, t[0][100]);
  }
  EXPECT_LT(darkest, 60);
  EXPECT_GT(lightest, 140);
}

TEST_F(BrightnessContrastTest, NothingToDoIsTheIdentity) {
  const auto t = *draw(*make({{"brightness", 0, {}}, {"contrast", 0, {}}}), 1).table;
  for (std::size_t v = 0; v < 256; ++v) EXPECT_EQ(t[1][v], v);
}

}  // namespace
}  // namespace nephron::host
