// Deep zoom: the grid of tiles, and tiles of slides with and without small levels.
#include <host/view/slide_picture.hpp>

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/view/test_slide.hpp>

namespace nephron::host {
namespace {

const Stop never = [] { return false; };

TEST(PyramidGrid, LastTilesAreSmallerAndTheDeepestIsOne) {
  const PyramidGrid grid({1000, 600});
  EXPECT_EQ(grid.deepest(), 2);
  EXPECT_EQ(grid.across(0), 4);
  EXPECT_EQ(grid.down(0), 3);
  const auto corner = grid.place(0, 3, 2);
  ASSERT_TRUE(corner);
  EXPECT_EQ(corner->region, (Region{768, 512, 232, 88}));
  EXPECT_EQ(corner->size, (Size{232, 88}));
  const auto all = grid.place(2, 0, 0);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->region, (Region{0, 0, 1000, 600}));
  EXPECT_EQ(all->size, (Size{250, 150}));
}

TEST(PyramidGrid, WhatIsNotThereIsNothing) {
  const PyramidGrid grid({1000, 600});
  const std::int64_t far = std::int64_t{1} << 62;
  for (const auto& [depth, x, y] : std::vector<std::array<std::int64_t, 3>>{
           {0, 4, 0}, {0, 0, 3}, {3, 0, 0}, {-1, 0, 0}, {0, -1, 0}, {0, 0, -1}, {0, far, 0}, {far, 0, 0}, {2, 0, far}})
    EXPECT_FALSE(grid.place(depth, x, y)) << depth << " " << x << " " << y;
}

TEST(PyramidGrid, ASlideOfOnePixel) {
  const PyramidGrid grid({1, 1});
  EXPECT_EQ(grid.deepest(), 0);
  EXPECT_EQ(grid.place(0, 0, 0)->size, (Size{1, 1}));
}

/// The colour of a tile's pixel is that of the place it stands for, but for the rounding of means.
void expect_places(const SlidePicture& picture, int depth, std::int64_t x, std::int64_t y) {
  const auto place = picture.grid().place(depth, x, y);
  ASSERT_TRUE(place);
  const SlidePicture::Tile tile = picture.tile(depth, *place, never);
  ASSERT_EQ(tile.pixels.size(), place->size);
  EXPECT_TRUE(tile.whole);
  const double by = std::ldexp(1.0, depth);
  for (const std::int64_t v : {std::int64_t{0}, place->size.height / 2, place->size.height - 1})
    for (const std::int64_t u : {std::int64_t{0}, place->size.width / 2, place->size.width - 1}) {
      const auto* const pixel = tile.pixels.view().row<std::uint8_t>(v) + 3 * u;
      const double at_x = static_cast<double>(place->region.x) + (static_cast<double>(u) + 0.5) * by,
                   at_y = static_cast<double>(place->region.y) + (static_cast<double>(v) + 0.5) * by;
      // A level holds what stands at its pixels' first places: half a pixel of depth away at most.
      EXPECT_NEAR(pixel[0], at_x / 16, by / 16 + 1) << u << " " << v;
      EXPECT_NEAR(pixel[1], at_y / 16, by / 16 + 1) << u << " " << v;
    }
}

TEST(SlidePicture, TilesComeOutOfTheLevelThatIsFineEnough) {
  const auto slide = std::make_shared<TestSlide>(Size{4000, 3000}, std::vector<int>{1, 4, 16});
  const SlidePicture picture(slide);
  EXPECT_GT(picture.overview_depth(), picture.grid().deepest());
  EXPECT_EQ(picture.overview_share(), 1);
  for (int depth = 0; depth <= picture.grid().deepest(); ++depth) {
    slide->pixels_read = 0;
    expect_places(picture, depth, 0, 0);
    EXPECT_LE(slide->pixels_read, 256 * 256 * 4 * 4) << depth;
    expect_places(picture, depth, picture.grid().across(depth) - 1, picture.grid().down(depth) - 1);
  }
}

TEST(SlidePicture, WithoutSmallLevelsCoarseTilesComeOutOfAnOverview) {
  const auto slide = std::make_shared<TestSlide>(Size{4080, 4072}, std::vector<int>{1});
  const SlidePicture picture(slide);
  EXPECT_EQ(picture.overview_depth(), 3);
  while (picture.overview_share() < 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_GE(slide->pixels_read, 4080 * 4072);  // once
  slide->pixels_read = 0;
  expect_places(picture, 4, 0, 0);
  expect_places(picture, 3, 1, 1);
  EXPECT_EQ(slide->pixels_read, 0);
  expect_places(picture, 2, 1, 1);
  EXPECT_LE(slide->pixels_read, 1024 * 1024);
}

TEST(SlidePicture, AGapBetweenLevelsNeedsNoOverview) {
  const auto slide = std::make_shared<TestSlide>(Size{4096, 4096}, std::vector<int>{1, 16});
  const SlidePicture picture(slide);
  EXPECT_GT(picture.overview_depth(), picture.grid().deepest());
  for (int depth = 0; depth <= picture.grid().deepest(); ++depth) expect_places(picture, depth, 0, 0);
}

TEST(SlidePicture, AnUnfinishedOverviewSaysSo) {
  const auto slide = std::make_shared<TestSlide>(Size{9000, 9000}, std::vector<int>{1}, std::chrono::milliseconds(150));
  const SlidePicture picture(slide);
  const auto all = picture.grid().place(picture.grid().deepest(), 0, 0);
  EXPECT_FALSE(picture.tile(picture.grid().deepest(), *all, never).whole);
  EXPECT_LT(picture.overview_share(), 1);
}  // and its thread ends with it, within a band

TEST(SlidePicture, NobodyWaits) {
  const SlidePicture picture(std::make_shared<TestSlide>(Size{600, 600}, std::vector<int>{1}));
  EXPECT_THROW(picture.tile(0, *picture.grid().place(0, 0, 0), [] { return true; }), Cancelled);
}

TEST(SlidePicture, AnOverviewThatFailsIsAnError) {
  class Broken final : public SlideReader {
   public:
    Size size() const noexcept override { return {5000, 5000}; }
    void read(const Region&, const ImageView&) const override { throw Error("the disk is gone"); }
  };
  const SlidePicture picture(as_slide_file(std::make_shared<Broken>(), 0, "broken"));
  const auto place = picture.grid().place(picture.grid().deepest(), 0, 0);
  std::string said;
  for (int i = 0; i < 200 && said.empty(); ++i) try {
      picture.tile(picture.grid().deepest(), *place, never);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    } catch (const Error& e) {
      said = e.what();
    }
  EXPECT_EQ(said, "the disk is gone");
}

TEST(SlidePicture, ALongThinSlide) {
  const auto slide = std::make_shared<TestSlide>(Size{30000, 3}, std::vector<int>{1});
  const SlidePicture picture(slide);
  while (picture.overview_share() < 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  for (int depth = 0; depth <= picture.grid().deepest(); ++depth) {
    const auto place = picture.grid().place(depth, 0, 0);
    EXPECT_EQ(picture.tile(depth, *place, never).pixels.size(), place->size) << depth;
  }
}

}  // namespace
}  // namespace nephron::host
