#include <nephron/image.hpp>

#include <limits>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron {
namespace {

TEST(Image, StartsBlackAndKnowsItsShape) {
  const Image image({5, 3}, 3, Depth::u8);
  EXPECT_EQ(image.size(), (Size{5, 3}));
  EXPECT_EQ(image.view().stride, 15);
  for (std::int64_t y = 0; y < 3; ++y)
    for (int i = 0; i < 15; ++i) EXPECT_EQ(image.view().row<const std::uint8_t>(y)[i], 0);
}

TEST(Image, CopiesShareAndClonesDoNot) {
  Image image({4, 4}, 1, Depth::u8);
  const Image shared = image;
  const Image clone = image.clone();
  image.view().row<std::uint8_t>(2)[1] = 9;
  EXPECT_EQ(shared.view().row<const std::uint8_t>(2)[1], 9);
  EXPECT_EQ(clone.view().row<const std::uint8_t>(2)[1], 0);
  EXPECT_TRUE(Image().clone().empty());
}

TEST(ImageView, CropPointsIntoThePicture) {
  Image image({6, 5}, 3, Depth::u16);
  const ImageView part = image.view().crop({2, 1, 3, 4});
  EXPECT_EQ(part.size(), (Size{3, 4}));
  part.row<std::uint16_t>(3)[2 * 3 + 1] = 777;
  EXPECT_EQ(image.view().row<const std::uint16_t>(4)[4 * 3 + 1], 777);
}

TEST(ImageView, CropOutsideIsRefused) {
  const Image image({6, 5}, 1, Depth::u8);
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const Region r : {Region{-1, 0, 2, 2}, Region{5, 0, 2, 2}, Region{0, 4, 1, 2}, Region{0, 0, -1, 1},
                         Region{1, 0, most, 1}, Region{most, 0, 1, 1}})
    EXPECT_THROW(image.view().crop(r), Error);
  EXPECT_NO_THROW(image.view().crop({0, 0, 6, 5}));
}

TEST(Image, ImpossibleSizesAreRefusedBeforeMemoryIsAskedFor) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  EXPECT_THROW(Image({0, 5}, 1, Depth::u8), Error);
  EXPECT_THROW(Image({5, -1}, 1, Depth::u8), Error);
  EXPECT_THROW(Image({5, 5}, 0, Depth::u8), Error);
  EXPECT_THROW(Image({most, most}, 3, Depth::f32), Error);
  EXPECT_THROW(Image({std::int64_t{1} << 32, std::int64_t{1} << 32}, 1, Depth::u8), Error);
}

TEST(Image, CopyNeedsEqualShapes) {
  const Image from({4, 4}, 1, Depth::u8);
  EXPECT_THROW(copy(from.view(), Image({4, 5}, 1, Depth::u8).view()), Error);
  EXPECT_THROW(copy(from.view(), Image({4, 4}, 3, Depth::u8).view()), Error);
  EXPECT_THROW(copy(from.view(), Image({4, 4}, 1, Depth::f32).view()), Error);
}

}  // namespace
}  // namespace nephron
