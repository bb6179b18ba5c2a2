#include <host/data/label_index.hpp>

#include <array>
#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/label_pixels.hpp>
#include <nephron/rng.hpp>

namespace nephron::host {
namespace {

std::int64_t look(const Image& labels, const Region& region, std::uint8_t classes) {
  const Region r = region.clipped({0, 0, labels.size().width, labels.size().height});
  std::int64_t out = 0;
  for (std::int64_t y = r.y; y < r.y + r.height; ++y)
    for (std::int64_t x = r.x; x < r.x + r.width; ++x)
      out += (labels.view().row<std::uint8_t>(y)[x] & classes) != 0 ? 1 : 0;
  return out;
}

// 300 pixels of class 1, in blocks that hold one of them and in blocks that hold 200: chi-square over single pixels.
TEST(LabelIndex, DrawsEachPixelOfAClassAlike) {
  Image labels({150, 90}, 1);
  const auto mark = [&](std::int64_t x, std::int64_t y, std::uint8_t bit) {
    labels.view().row<std::uint8_t>(y)[x] |= bit;
  };
  for (std::int64_t i = 0; i < 200; ++i) mark(32 + i % 16, 16 + i / 16, 2);
  for (std::int64_t i = 0; i < 10; ++i) mark(5 + 14 * i, 85, 2);
  for (std::int64_t i = 0; i < 90; ++i) mark(149, i, 2), mark(3, i, 1);
  const LabelIndex index(labels.view(), 3);
  std::map<std::pair<std::int64_t, std::int64_t>, int> drawn;
  Rng rng(9, "draw");
  constexpr int n = 60000, pixels = 300;
  for (int i = 0; i < n; ++i) {
    const auto p = index.draw(1, rng);
    ASSERT_TRUE(p.has_value());
    ASSERT_NE(labels.view().row<std::uint8_t>(p->y)[p->x] & 2, 0);
    ++drawn[{p->x, p->y}];
  }
  ASSERT_EQ(drawn.size(), pixels);
  double chi = 0;
  for (const auto& [place, count] : drawn) chi += std::pow(count - n / pixels, 2) / (n / pixels);
  EXPECT_LT(chi, 299 + 4 * std::sqrt(2 * 299));  // mean and four deviations of 299 degrees of freedom
  EXPECT_FALSE(index.draw(2, rng).has_value()) << "no pixel has class 2";
  EXPECT_FALSE(index.draw(7, rng).has_value());
  EXPECT_FALSE(LabelIndex().draw(0, rng).has_value());
}

// Samplers ask for whatever class; what is ignored is none.
TEST(LabelIndex, WhatIsIgnoredIsNoLabel) {
  Image labels({70, 40}, 1);
  for (std::int64_t x = 0; x < 50; ++x) labels.view().row<std::uint8_t>(7)[x] = 4;
  labels.view().row<std::uint8_t>(39)[69] = 2;
  const LabelIndex index(labels.view(), 2);
  EXPECT_EQ(index.ignored(), 50);
  EXPECT_EQ(index.counts(), (std::vector<std::int64_t>{0, 1}));
  EXPECT_FALSE(index.any({0, 0, 70, 39}, 0xFF));
  EXPECT_TRUE(index.any({0, 0, 70, 40}, 0xFF));
  EXPECT_FALSE(index.any({3, 5, 5, 5}, 0xFF)) << "within a block";
  EXPECT_EQ(index.count({0, 0, 70, 40}, 0xFF), 1);
  EXPECT_EQ(index.count({0, 0, 70, 40}, 4), 0);
}

TEST(LabelIndex, KnowsThirtyTwoClasses) {
  for (const Depth depth : {Depth::u16, Depth::u32}) {
    const Image labels({90, 70}, 1, depth);
    const int classes = depth == Depth::u16 ? 16 : 32;
    with_label_type(depth, [&](auto zero) {
      for (int c = 0; c < classes; ++c)
        for (std::int64_t x = 0; x <= c; ++x)
          labels.view().row<decltype(zero)>(2 * c)[x] = static_cast<decltype(zero)>(1U << c);
    });
    const LabelIndex index(labels.view(), classes);
    Rng rng(2, "wide");
    for (int c = 0; c < classes; ++c) {
      EXPECT_EQ(index.counts()[static_cast<std::size_t>(c)], c + 1);
      EXPECT_TRUE(index.any({0, 0, 90, 70}, 1U << c));
      EXPECT_FALSE(index.any({0, 0, 90, 2 * c}, 1U << c));
      EXPECT_EQ(index.count({0, 0, 90, 70}, 1U << c), c + 1);
      const auto pixel = index.draw(static_cast<std::size_t>(c), rng);
      ASSERT_TRUE(pixel.has_value());
      EXPECT_EQ(pixel->y, 2 * c);
    }
  }
}

// Against OpenCV's connected components.
TEST(LabelIndex, ObjectsAreWhatHangsTogether) {
  Rng rng(10, "objects");
  for (int round = 0; round < 60; ++round) {
    const Size size{rng.integer(1, 130), rng.integer(1, 130)};
    const Image labels(size, 1);
    cv::Mat bits = as_mat(labels.view());
    for (std::int64_t i = rng.integer(0, 9); i > 0; --i)
      cv::ellipse(bits, {int(rng.integer(0, size.width)), int(rng.integer(0, size.height))},
                  {int(rng.integer(0, 25)), int(rng.integer(0, 25))}, rng.uniform(0, 180), 0, 360, cv::Scalar(2),
                  i % 2 == 0 ? -1 : 1);
    for (std::int64_t i = rng.integer(0, 300); i > 0; --i)
      bits.at<std::uint8_t>(int(rng.integer(0, size.height - 1)), int(rng.integer(0, size.width - 1))) =
          static_cast<std::uint8_t>(rng.integer(0, 3));
    const LabelIndex index(labels.view(), 2);
    for (int c = 0; c < 2; ++c) {
      cv::Mat numbers, stats, centres;
      const int parts = cv::connectedComponentsWithStats((bits & (1 << c)) != 0, numbers, stats, centres, 8);
      std::multiset<std::array<std::int64_t, 4>> expected, found;
      for (int i = 1; i < parts; ++i)
        expected.insert({stats.at<int>(i, 0), stats.at<int>(i, 1), stats.at<int>(i, 2), stats.at<int>(i, 3)});
      for (const Region& r : index.objects(static_cast<std::size_t>(c))) found.insert({r.x, r.y, r.width, r.height});
      ASSERT_EQ(found, expected) << "class " << c << " of round " << round;
      EXPECT_EQ(&index.objects(static_cast<std::size_t>(c)), &index.objects(static_cast<std::size_t>(c)));
    }
    EXPECT_TRUE(index.objects(2).empty());
  }
}

// The store knows only that a block holds a class; a file whose map lies must not hang the feed.
TEST(LabelIndex, AMapThatLiesIsAnError) {
  const LabelIndex index(
      {16, 16}, {1}, 1,
      {[](const Region&, std::uint32_t) { return false; }, [](const Region& r) { return Image(r.size(), 1); }});
  Rng rng(1, "draw");
  EXPECT_THROW(static_cast<void>(index.draw(0, rng)), Error);
}

TEST(LabelIndex, AnswersAsALookAtEveryPixel) {
  Rng rng(7, "label_index");
  int yes = 0, no = 0;
  for (int round = 0; round < 60; ++round) {
    Image labels({rng.integer(1, 120), rng.integer(1, 120)}, 1);
    for (std::int64_t i = rng.integer(0, 12); i > 0; --i)
      labels.view().row<std::uint8_t>(
          rng.integer(0, labels.size().height - 1))[rng.integer(0, labels.size().width - 1)] |=
          static_cast<std::uint8_t>(1 << rng.integer(0, 2));
    const LabelIndex index(labels.view(), 3);
    for (int i = 0; i < 200; ++i) {
      const Region region{rng.integer(-30, 120), rng.integer(-30, 120), rng.integer(0, 100), rng.integer(0, 100)};
      const auto classes = static_cast<std::uint8_t>(rng.integer(1, 7));
      const std::int64_t expected = look(labels, region, classes);
      SCOPED_TRACE(std::to_string(region.x) + "," + std::to_string(region.y) + " " + std::to_string(region.width) +
                   "x" + std::to_string(region.height) + " classes " + std::to_string(classes));
      ASSERT_EQ(index.any(region, classes), expected > 0);
      ASSERT_EQ(index.count(region, classes), expected);
      ++(expected > 0 ? yes : no);
    }
  }
  EXPECT_GT(yes, 1000);
  EXPECT_GT(no, 1000);
}

TEST(LabelIndex, CountsPixelsOfEachClass) {
  Image labels({40, 20}, 1);
  for (int x = 0; x < 40; ++x) labels.view().row<std::uint8_t>(3)[x] = x < 10 ? 3 : 2;
  EXPECT_EQ(LabelIndex(labels.view(), 2).counts(), (std::vector<std::int64_t>{10, 40}));
}

TEST(LabelIndex, NothingIsInAnEmptyIndex) {
  EXPECT_FALSE(LabelIndex().any({0, 0, 100, 100}, 0xFF));
  EXPECT_EQ(LabelIndex().count({0, 0, 100, 100}, 0xFF), 0);
}

}  // namespace
}  // namespace nephron::host
