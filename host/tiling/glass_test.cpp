// Pictures, their small copies and prepared slides are judged by one rule.
#include <host/tiling/glass.hpp>

#include <gtest/gtest.h>

#include <host/data/memory_slide.hpp>

namespace nephron::host {
namespace {

/// White, with purple in one place.
Image picture(Size size, const Region& tissue) {
  Image out(size, 3);
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x) {
      std::uint8_t* const p = out.view().row<std::uint8_t>(y) + 3 * x;
      const bool inside = x >= tissue.x && x < tissue.x + tissue.width && y >= tissue.y && y < tissue.y + tissue.height;
      p[0] = 240, p[1] = inside ? 40 : 240, p[2] = 240;
    }
  return out;
}

std::shared_ptr<const PreparedSlide> slide(const Image& image) {
  MemorySlide::Parts parts;
  parts.info.id = "s";
  parts.classes = 1;
  parts.image = image;
  parts.labels = Image(image.size(), 1);
  parts.targets = {{.any_of = 1, .none_of = 0, .weight = 1}};
  return std::make_shared<MemorySlide>(std::move(parts));
}

TEST(Glass, IsTheSameOfAPictureAndOfThePreparedSlide) {
  const Size size{2100, 1300};  // blocks of 4 px
  const Region tissue{1000, 500, 200, 100};
  const Image image = picture(size, tissue);
  const auto prepared = slide(image);
  const Glass of_picture(image.view(), size), of_tissue(tissue_of(image.view()), size), of_slide(*prepared);
  std::int64_t glass = 0;
  for (std::int64_t y = 0; y < size.height; y += 7)
    for (std::int64_t x = 0; x < size.width; x += 7) {
      const Region tile{x, y, 64, 64};
      const bool only = of_slide.only(tile);
      glass += only ? 1 : 0;
      ASSERT_EQ(of_picture.only(tile), only) << x << " " << y;
      ASSERT_EQ(of_tissue.only(tile), only) << x << " " << y;
    }
  EXPECT_GT(glass, 0);
  // Within a block of the tissue a tile is none, beyond it is.
  EXPECT_FALSE(of_slide.only({1200, 500, 64, 64}));
  EXPECT_FALSE(of_slide.only({1203, 500, 64, 64}));
  EXPECT_TRUE(of_slide.only({1204, 500, 64, 64}));
  EXPECT_FALSE(of_slide.only({1000 - 64 - 3, 500, 64, 64}));
  EXPECT_TRUE(of_slide.only({1000 - 64 - 4, 500, 64, 64}));
}

// What the small copy averaged may reach over the edge of a tile.
TEST(Glass, OfASmallCopyIsNoTileThatHoldsTissue) {
  const Size level{2100, 1300};
  const Image small = picture({525, 325}, {250, 125, 50, 25});
  const Glass glass(small.view(), level);
  EXPECT_FALSE(glass.only({1200, 500, 64, 64})) << "a pixel of the copy beside it";
  EXPECT_TRUE(glass.only({1208, 500, 64, 64}));
  EXPECT_FALSE(glass.only({1010, 510, 64, 64}));
  EXPECT_TRUE(glass.only({100, 100, 64, 64}));
}

TEST(Glass, OfAPictureWithoutTissueNothingIsKnown) {
  const Image image = picture({2100, 1300}, {});
  const auto prepared = slide(image);
  EXPECT_FALSE(Glass(image.view(), image.size()).known());
  EXPECT_FALSE(Glass(*prepared).only({0, 0, 64, 64}));
  EXPECT_FALSE(Glass().only({0, 0, 64, 64}));
}

}  // namespace
}  // namespace nephron::host
