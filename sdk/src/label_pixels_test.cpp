#include <nephron/label_pixels.hpp>

#include <gtest/gtest.h>

#include <nephron/rle.hpp>
#include <nephron/rng.hpp>

namespace nephron {
namespace {

TEST(LabelPixels, AreAsWideAsTheirBitsNeed) {
  EXPECT_EQ(label_depth(1), Depth::u8);
  EXPECT_EQ(label_depth(8), Depth::u8);
  EXPECT_EQ(label_depth(9), Depth::u16);
  EXPECT_EQ(label_depth(16), Depth::u16);
  EXPECT_EQ(label_depth(17), Depth::u32);
  EXPECT_EQ(label_depth(most_classes), Depth::u32);
  EXPECT_EQ(first_bits(3), 7U);
  EXPECT_EQ(first_bits(32), 0xFFFFFFFFU);
  for (const Depth depth : {Depth::u8, Depth::u16, Depth::u32}) {
    EXPECT_TRUE(is_label_depth(depth));
    EXPECT_EQ(with_label_type(depth, [](auto zero) { return sizeof(zero); }), bytes_of(depth));
  }
  EXPECT_FALSE(is_label_depth(Depth::f32));
  EXPECT_THROW(with_label_type(Depth::f32, [](auto zero) { return sizeof(zero); }), Error);
}

// A bit is a bit, however wide the pixels around it are.
TEST(LabelPixels, RunsAreThoseOfTheSameBitInBytes) {
  Rng rng(4, "wide");
  for (int round = 0; round < 40; ++round) {
    const Size size{rng.integer(1, 90), rng.integer(1, 90)};
    const Image bytes(size, 1);
    for (const Depth depth : {Depth::u16, Depth::u32}) {
      const Image wide(size, 1, depth);
      const int shift = depth == Depth::u16 ? 8 : 24;
      with_label_type(depth, [&](auto zero) {
        for (std::int64_t y = 0; y < size.height; ++y)
          for (std::int64_t x = 0; x < size.width; ++x) {
            const auto bits = static_cast<std::uint8_t>(rng.chance(0.2) ? rng.integer(0, 255) : 0);
            bytes.view().row<std::uint8_t>(y)[x] = bits;
            wide.view().row<decltype(zero)>(y)[x] =
                static_cast<decltype(zero)>(static_cast<unsigned>(bits) << shift | 3U);
          }
      });
      for (const std::uint32_t bits : {1U, 0x80U, 0x14U})
        EXPECT_EQ(encode_rle(wide.view(), bits << shift), encode_rle(bytes.view(), bits));
    }
  }
}

}  // namespace
}  // namespace nephron
