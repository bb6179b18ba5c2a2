#include <host/tiling/tiling.hpp>

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TileStarts, EndAtTheBorder) {
  EXPECT_THAT(tile_starts(512, 256, 170), ElementsAre(0, 170, 256));
  EXPECT_THAT(tile_starts(510, 170, 170), ElementsAre(0, 170, 340));
  EXPECT_THAT(tile_starts(256, 256, 170), ElementsAre(0));
  EXPECT_THAT(tile_starts(10, 256, 170), ElementsAre(0));
  EXPECT_THAT(tile_starts(257, 256, 170), ElementsAre(0, 1));
}

TEST(TileGrid, ShrinksToSmallPictures) {
  const TileGrid grid = tile_grid({100, 600}, 256, 1.5, 32);
  EXPECT_EQ(grid.tile, (Size{128, 256}));
  EXPECT_THAT(grid.xs, ElementsAre(0));
  EXPECT_THAT(grid.ys, ElementsAre(0, 170, 340, 344));
}

// numpy.minimum(numpy.arange(0, extent, 170), extent - 256)
TEST(TileGrid, KnowsHowOftenTheLastTileWasRepeated) {
  const TileGrid grid = tile_grid({1000, 512}, 256, 1.5, 32);
  EXPECT_THAT(grid.xs, ElementsAre(0, 170, 340, 510, 680, 744));
  EXPECT_EQ(grid.last_x_times, 1);  // 0, 170, ..., 680, 850 -> 744
  EXPECT_THAT(grid.ys, ElementsAre(0, 170, 256));
  EXPECT_EQ(grid.last_y_times, 2);  // 340 and 510 -> 256
}

TEST(TileGrid, WholePicture) {
  const TileGrid grid = tile_grid({513, 1000}, 0, 1.5, 32);
  EXPECT_EQ(grid.tile, (Size{544, 1024}));
  EXPECT_EQ(grid.count(), 1);
}

TEST(TileGrid, RefusesWhatTheModelCannotTake) {
  try {
    tile_grid({512, 512}, 250, 1.5, 32);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("250"));
    EXPECT_THAT(e.what(), HasSubstr("multiples of 32"));
    EXPECT_THAT(e.hint(), HasSubstr("224 and 256"));
  }
  EXPECT_THROW(tile_grid({512, 512}, 256, 0.9, 32), Error);
  EXPECT_THROW(tile_grid({512, 512}, -32, 1.5, 32), Error);
}

// Values worked out by hand from the formula: a = 1..4,4..1 (half 4), w = min / 4, scaled by (w - 0.25) / 0.75.
TEST(BlendingWeights, AreTheFormulas) {
  const Image w = blending_weights({8, 8});
  const auto at = [&](int x, int y) { return w.view().row<float>(y)[x]; };
  EXPECT_FLOAT_EQ(at(0, 0), 0.001F);
  EXPECT_FLOAT_EQ(at(7, 3), 0.001F);
  EXPECT_FLOAT_EQ(at(1, 3), 0.333F);
  EXPECT_FLOAT_EQ(at(2, 5), 0.667F);
  EXPECT_FLOAT_EQ(at(3, 4), 1.0F);
  EXPECT_FLOAT_EQ(at(4, 4), 1.0F);
  EXPECT_THROW(blending_weights({7, 8}), Error);
}

// exp(-(dx^2 + dy^2) / (2 (n / 8)^2)) from the middle, no less than a thousandth.
TEST(BlendingWeights, OfABell) {
  const Image w = blending_weights({32, 16}, Blending::gaussian);
  const auto at = [&](int x, int y) { return static_cast<double>(w.view().row<float>(y)[x]); };
  for (const auto& [x, y] : {std::pair{15, 7}, std::pair{16, 8}, std::pair{9, 5}, std::pair{12, 10}})
    EXPECT_NEAR(at(x, y), std::exp(-(std::pow((x - 15.5) / 4, 2) + std::pow((y - 7.5) / 2, 2)) / 2), 1e-6);
  EXPECT_FLOAT_EQ(w.view().row<float>(0)[0], 0.001F);
  EXPECT_FLOAT_EQ(w.view().row<float>(3)[5], w.view().row<float>(12)[26]);
  EXPECT_NO_THROW(blending_weights({7, 9}, Blending::gaussian));
}

}  // namespace
}  // namespace nephron::host
