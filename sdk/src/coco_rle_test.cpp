#include <nephron/coco_rle.hpp>

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/rng.hpp>

#include <tests/support/error_of.hpp>

namespace nephron {
namespace {

using testing::HasSubstr;

TEST(CocoRle, IsItsInverse) {
  Rng rng(4, "coco");
  for (int i = 0; i < 500; ++i) {
    Runs runs;
    const std::int64_t pixels = rng.integer(1, 90) * rng.integer(1, 90);
    for (std::int64_t at = rng.integer(0, 9); at < pixels;) {
      const std::int64_t length = std::min(pixels - at, rng.integer(1, rng.chance(0.1) ? 2000 : 20));
      runs.push_back({at, length});
      at += length + rng.integer(1, 40);
    }
    ASSERT_EQ(parse_coco_rle(coco_rle_text(runs, pixels), pixels, "x"), runs);
  }
  EXPECT_EQ(coco_rle_text({}, 12), "<");
}

TEST(CocoRle, FaultsNameTheCount) {
  const auto text = [](const char* counts) { return error_of([&] { parse_coco_rle(counts, 9, "a.json"); }); };
  EXPECT_THAT(text("~~~"), HasSubstr("a.json: character 1 of the compressed run lengths is not of COCO's alphabet"));
  EXPECT_THAT(text("o"), HasSubstr("a.json: the compressed run lengths end inside a number"));
  EXPECT_THAT(text("oooooooooooooooooooooooooo0"), HasSubstr("is not of COCO's alphabet"));
  EXPECT_THAT(text("O"), HasSubstr("count 1 of the run lengths (-1) leaves the mask of 9 pixels"));
  EXPECT_THAT(text(""), HasSubstr("the run lengths cover 0 pixels; expected the 9 of the mask"));
  const auto counts = [](std::vector<std::int64_t> c) {
    return error_of([&] { runs_of_coco_counts(c, 9, "a.json"); });
  };
  EXPECT_THAT(counts({3, -1, 7}), HasSubstr("a.json: count 2 of the run lengths (-1) leaves the mask"));
  EXPECT_THAT(counts({3, INT64_MAX}), HasSubstr("count 2 of the run lengths"));
  EXPECT_THAT(counts({3, 4}), HasSubstr("cover 7 pixels; expected the 9"));
  EXPECT_EQ(counts({0, 0, 3, 6}), "no error");
}

}  // namespace
}  // namespace nephron
