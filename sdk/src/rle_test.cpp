#include <nephron/rle.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

#include <tests/support/damaged.hpp>
#include <tests/support/error_of.hpp>

namespace nephron {
namespace {

using testing::HasSubstr;

/// Blocks, noise and whole columns, in the bits of a mask.
Image random_mask(Rng& rng, Size size) {
  Image out(size, 1);
  for (int k = 0; k < 6; ++k) {
    const std::int64_t x0 = rng.integer(0, size.width - 1), y0 = rng.integer(0, size.height - 1);
    const std::int64_t x1 = rng.integer(x0, size.width - 1);
    const std::int64_t y1 = rng.chance(0.3) ? size.height - 1 : rng.integer(y0, size.height - 1);
    const auto bits = static_cast<std::uint8_t>(1 << rng.integer(0, 2));
    for (std::int64_t y = rng.chance(0.3) ? 0 : y0; y <= y1; ++y)
      for (std::int64_t x = x0; x <= x1; ++x) out.view().row<std::uint8_t>(y)[x] ^= bits;
  }
  if (rng.chance(0.5))
    for (std::int64_t y = 0; y < size.height; ++y)
      for (std::int64_t x = 0; x < size.width; ++x)
        if (rng.chance(0.05)) out.view().row<std::uint8_t>(y)[x] ^= 4;
  return out;
}

/// Pixel by pixel, in the order of the runs.
Runs slow_runs(const ImageView& mask, std::uint8_t bits, bool columns) {
  Runs out;
  const std::int64_t n = mask.width * mask.height;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t x = columns ? i / mask.height : i % mask.width, y = columns ? i % mask.height : i / mask.width;
    if ((mask.row<const std::uint8_t>(y)[x] & bits) == 0) continue;
    if (!out.empty() && out.back().end() == i) ++out.back().length;
    else out.push_back({i, 1});
  }
  return out;
}

TEST(Rle, EncodesAndDecodesRandomMasks) {
  Rng rng(1, "rle");
  for (int i = 0; i < 400; ++i) {
    const Size size{rng.integer(1, 260), rng.integer(1, 90)};
    const Image mask = random_mask(rng, size);
    for (const int bits : {1, 6, 255}) {
      const auto b = static_cast<std::uint8_t>(bits);
      const Runs expected = slow_runs(mask.view(), b, true), found = encode_rle(mask.view(), b);
      ASSERT_EQ(found, expected) << size.width << " x " << size.height;
      EXPECT_EQ(turned(found, size, true), slow_runs(mask.view(), b, false));
      EXPECT_EQ(turned(slow_runs(mask.view(), b, false), size, false), expected);
      EXPECT_EQ(parse_rle(rle_text(found), size), found);
      Image back({size.width + 3, size.height}, 1);  // rows farther apart than they are wide
      const ImageView view = back.view().crop({1, 0, size.width, size.height});
      decode_rle(found, view, 9);
      for (std::int64_t y = 0; y < size.height; ++y) {
        for (std::int64_t x = 0; x < size.width; ++x)
          ASSERT_EQ(view.row<std::uint8_t>(y)[x], (mask.view().row<std::uint8_t>(y)[x] & b) != 0 ? 9 : 0);
        EXPECT_EQ(back.view().row<std::uint8_t>(y)[0], 0);
      }
    }
  }
}

TEST(Rle, SetOperationsAreThoseOfPixels) {
  Rng rng(2, "sets");
  for (int i = 0; i < 200; ++i) {
    const Size size{rng.integer(1, 60), rng.integer(1, 60)};
    const Image a = random_mask(rng, size), b = random_mask(rng, size);
    Image both(size, 1), any(size, 1);
    std::int64_t in_a = 0, in_b = 0, common = 0;
    for (std::int64_t y = 0; y < size.height; ++y)
      for (std::int64_t x = 0; x < size.width; ++x) {
        const bool p = a.view().row<std::uint8_t>(y)[x] != 0, q = b.view().row<std::uint8_t>(y)[x] != 0;
        both.view().row<std::uint8_t>(y)[x] = p && q;
        any.view().row<std::uint8_t>(y)[x] = p || q;
        in_a += p, in_b += q, common += p && q;
      }
    const Runs ra = encode_rle(a.view()), rb = encode_rle(b.view());
    EXPECT_EQ(area_of(ra), in_a);
    EXPECT_EQ(intersection_of(ra, rb), encode_rle(both.view()));
    EXPECT_EQ(union_of(ra, rb), encode_rle(any.view()));
    EXPECT_EQ(common_area(ra, rb), common);
    EXPECT_DOUBLE_EQ(dice(ra, rb), (2. * double(common) + 1e-8) / (double(in_a + in_b) + 1e-8));
  }
  EXPECT_DOUBLE_EQ(dice({}, {}), 1);
}

TEST(Rle, ReadsWhatKaggleWrites) {
  const Runs expected{{0, 3}, {9, 1}};
  EXPECT_EQ(parse_rle("1 3 10 1"), expected);
  EXPECT_EQ(parse_rle("  1 3\t10 1 \r\n"), expected);
  EXPECT_EQ(parse_rle("1 2 3 4"), (Runs{{0, 2}, {2, 4}}));  // touching runs stay two
  EXPECT_EQ(rle_text(expected), "1 3 10 1");
  EXPECT_EQ(rle_text({}), "");
  for (const char* nothing : {"", "  ", "nan", "NaN", "nan \n"}) EXPECT_TRUE(parse_rle(nothing).empty());
}

TEST(Rle, SaysWhichRunIsWrong) {
  const auto fault = [](const char* text) { return error_of([&] { parse_rle(text, {5, 4}, "train.csv:7"); }); };
  EXPECT_EQ(fault("1 3 4"), "train.csv:7: run 2 of the run lengths has the start 4 without a length; expected pairs");
  EXPECT_THAT(fault("1 3 x4 5"), HasSubstr("train.csv:7: run 2 of the run lengths has \"x4\" where a whole number"));
  EXPECT_THAT(fault("1 3.5"), HasSubstr("run 1 of the run lengths has \"3.5\" where"));
  EXPECT_THAT(fault("nan 3"), HasSubstr("\"nan\" where"));
  EXPECT_THAT(fault("0 3"), HasSubstr("begins before pixel 1 or has no pixels"));
  EXPECT_THAT(fault("1 0"), HasSubstr("begins before pixel 1 or has no pixels"));
  EXPECT_THAT(fault("5 -2"), HasSubstr("has no pixels"));
  EXPECT_THAT(fault("1 3 18 4"), HasSubstr("run 2 of the run lengths (18 + 4) leaves the mask of 20 pixels"));
  EXPECT_THAT(fault("9 3 1 2"), HasSubstr("run 2 of the run lengths (1 + 2) begins before the end of the run ahead"));
  EXPECT_THAT(fault("1 3 3 2"), HasSubstr("without overlap"));
  EXPECT_THAT(fault("99999999999999999999 1"), HasSubstr("where a whole number was expected"));
  EXPECT_THAT(error_of([] { parse_rle("9223372036854775807 9223372036854775807"); }), HasSubstr("leaves the mask"));
  EXPECT_THAT(error_of([] {
                Image small({3, 3}, 1);
                decode_rle(Runs{{7, 3}}, small.view());
              }),
              HasSubstr("leaves the mask of 9 pixels"));
  EXPECT_THAT(error_of([] { encode_rle(Image({3, 3}, 3).view()); }), HasSubstr("one channel of u8, u16 or u32"));
  EXPECT_THAT(error_of([] { encode_rle(Image({3, 3}, 1, Depth::f32).view()); }), HasSubstr("u8, u16 or u32"));
}

TEST(Rle, DamagedTextIsReadOrRefused) {
  const Damage damage{"0123456789 -+.eNan\t\n\x01\xff,", {"nan", "9223372036854775807", "99999999999999999999", "0"}};
  const Outcomes found = read_damaged(8000, {"1 3 10 1 30 12 200 5"}, damage, testing::StartsWith("file.csv:3: run "),
                                      [](const std::string& text) {
                                        const Runs runs = parse_rle(text, {20, 20}, "file.csv:3");
                                        EXPECT_NO_THROW(require_valid(runs, 400));
                                        EXPECT_EQ(parse_rle(rle_text(runs), {20, 20}), runs);
                                      });
  EXPECT_GT(found.refused, 2000);
  EXPECT_GT(found.read, 100);
}

}  // namespace
}  // namespace nephron
