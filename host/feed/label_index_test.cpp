#include <host/feed/label_index.hpp>

#include <gtest/gtest.h>

#include <nephron/rng.hpp>

namespace nephron::host {
namespace {

bool look(const Image& labels, const Region& region, std::uint8_t classes) {
  const Region r = region.clipped({0, 0, labels.size().width, labels.size().height});
  for (std::int64_t y = r.y; y < r.y + r.height; ++y)
    for (std::int64_t x = r.x; x < r.x + r.width; ++x)
      if ((labels.view().row<std::uint8_t>(y)[x] & classes) != 0) return true;
  return false;
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
      const bool expected = look(labels, region, classes);
      ASSERT_EQ(index.any(region, classes), expected)
          << region.x << "," << region.y << " " << region.width << "x" << region.height << " classes " << int{classes};
      ++(expected ? yes : no);
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

TEST(LabelIndex, NothingIsInAnEmptyIndex) { EXPECT_FALSE(LabelIndex().any({0, 0, 100, 100}, 0xFF)); }

}  // namespace
}  // namespace nephron::host
