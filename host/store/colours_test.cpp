#include <cmath>

#include <gtest/gtest.h>

#include <nephron/image_cv.hpp>
#include <nephron/rng.hpp>

#include <host/store/colours.hpp>

namespace nephron::host {
namespace {

constexpr std::array<std::array<double, 3>, 2> stains{{{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}}};

/// Mixtures of two stains on grey glass: the left part is tissue.
Image mixture(Size size, std::int64_t tissue) {
  Rng rng(5, "mixture");
  Image out(size, 3);
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x) {
      auto* p = out.view().row<std::uint8_t>(y) + 3 * x;
      const std::int64_t sort = rng.integer(0, 2);  // one stain, the other, both
      const double a = sort == 1 ? 0 : rng.uniform(0.5, 1.5), b = sort == 0 ? 0 : rng.uniform(0.3, 1.0);
      for (std::size_t c = 0; c < 3; ++c)
        p[c] = static_cast<std::uint8_t>(x < tissue ? std::lround(255 * std::exp(-a * stains[0][c] - b * stains[1][c]))
                                                    : 235 + 2 * c);
    }
  return out;
}

std::optional<SlideColours> measure(const Image& picture) {
  return measure_colours(picture.size(), tissue_of(picture.view()), [&](const Region& region, const ImageView& out) {
    const ImageView from = picture.view().crop(region);  // throws for what leaves the level
    as_mat(from).copyTo(as_mat(out));
  });
}

double length_of(const std::array<double, 3>& v) { return std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]); }

TEST(SlideColoursTest, FindsTheStainsThatAPictureWasMadeOf) {
  // Pixels one by one, and squares of blocks of 4 px, which are cut at the edges.
  for (const Size size : {Size{301, 200}, Size{2501, 1203}}) {
    const auto found = measure(mixture(size, size.width / 2));
    ASSERT_TRUE(found.has_value());
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t c = 0; c < 3; ++c)
        EXPECT_NEAR(found->stains[i][c], stains[i][c] / length_of(stains[i]), 0.05) << i << " " << c;
    EXPECT_NEAR(found->strength[0], 1.5 * length_of(stains[0]), 0.1);
    EXPECT_NEAR(found->strength[1], 1.0 * length_of(stains[1]), 0.1);
    EXPECT_EQ(found->background, (std::array<double, 3>{235, 237, 239}));
    EXPECT_GT(found->lab_deviation[0], 1);
    const auto again = measure(mixture(size, size.width / 2));
    EXPECT_EQ(again->stains, found->stains);
    EXPECT_EQ(again->lab_mean, found->lab_mean);
  }
}

TEST(SlideColoursTest, SaysNothingOfGlassAndNoStainsOfOneColour) {
  EXPECT_FALSE(measure(mixture({300, 200}, 0)).has_value());
  Image one({200, 100}, 3);
  for (std::int64_t y = 0; y < 100; ++y)
    for (std::int64_t x = 0; x < 200; ++x) {
      auto* p = one.view().row<std::uint8_t>(y) + 3 * x;
      p[0] = 200, p[1] = 40, p[2] = 120;
    }
  const auto found = measure(one);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->strength, (std::array<double, 2>{0, 0}));
  EXPECT_EQ(found->background, (std::array<double, 3>{255, 255, 255})) << "no glass is in sight";
  for (const double v : found->lab_mean) EXPECT_TRUE(std::isfinite(v));
}

}  // namespace
}  // namespace nephron::host
