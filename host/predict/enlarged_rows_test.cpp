#include <host/predict/enlarged_rows.hpp>

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include <host/predict/picture_file.hpp>

namespace nephron::host {
namespace {

Image noise(Size size, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> draw(0, 1);
  Image out(size, 1, Depth::f32);
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x) out.view().row<float>(y)[x] = draw(random);
  return out;
}

struct Case {
  Size from, to;
};

class Sizes : public testing::TestWithParam<Case> {};

// OpenCV adds in another order: one unit in the last place of a probability.
TEST_P(Sizes, EqualOpenCvsResizeOfTheWhole) {
  const auto [from, to] = GetParam();
  const std::vector<Image> maps{noise(from, 1), noise(from, 2)};
  for (const std::int64_t height : {1, 5, 1000})
    for (const std::int64_t most : {1, 7, 64}) {
      std::vector<Image> out{Image(to, 1, Depth::f32), Image(to, 1, Depth::f32)};
      std::int64_t next = 0, tallest = 0;
      EnlargedRows rows(from, to, 2, most, [&](std::int64_t y, std::span<const ImageView> part) {
        ASSERT_EQ(y, next);
        next += part[0].height, tallest = std::max(tallest, part[0].height);
        for (std::size_t c = 0; c < 2; ++c) copy(part[c], out[c].view().crop({0, y, to.width, part[c].height}));
      });
      for (std::int64_t y = 0; y < from.height; y += height) {
        std::vector<ImageView> part;
        for (const Image& map : maps)
          part.push_back(map.view().crop({0, y, from.width, std::min(height, from.height - y)}));
        rows.add(part);
      }
      ASSERT_EQ(next, to.height);
      EXPECT_LE(tallest, most);
      for (std::size_t c = 0; c < 2; ++c) {
        const Image whole = resize_map(maps[c].view(), to);
        for (std::int64_t y = 0; y < to.height; ++y)
          for (std::int64_t x = 0; x < to.width; ++x)
            ASSERT_NEAR(out[c].view().row<float>(y)[x], whole.view().row<float>(y)[x], 2e-7) << x << ", " << y;
      }
    }
}

INSTANTIATE_TEST_SUITE_P(EnlargedRows, Sizes,
                         testing::Values(Case{{20, 30}, {40, 60}}, Case{{20, 30}, {41, 63}}, Case{{9, 7}, {9, 7}},
                                         Case{{1, 1}, {5, 4}}, Case{{33, 2}, {131, 9}}, Case{{50, 40}, {31, 17}}));

}  // namespace
}  // namespace nephron::host
