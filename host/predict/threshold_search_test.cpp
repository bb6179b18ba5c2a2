#include <host/predict/threshold_search.hpp>

#include <gtest/gtest.h>

#include <nephron/rng.hpp>

#include <host/predict/truth.hpp>

namespace nephron::host {
namespace {

struct Picture {
  Image map, truth;
};

/// Values that lie on thresholds among those that do not; a truth that they tell something of.
Picture picture(std::uint64_t seed, double shift) {
  Rng rng(seed, "threshold_search_test");
  Picture out{Image({61, 43}, 1, Depth::f32), Image({61, 43}, 1)};
  for (std::int64_t y = 0; y < 43; ++y)
    for (std::int64_t x = 0; x < 61; ++x) {
      const bool on_threshold = rng.chance(0.2);
      const double p = on_threshold ? searched_thresholds[static_cast<std::size_t>(rng.integer(0, 10))] : rng.uniform();
      out.map.view().row<float>(y)[x] = static_cast<float>(p);
      out.truth.view().row<std::uint8_t>(y)[x] = p + rng.uniform(-0.2, 0.2) > shift ? 255 : 0;
    }
  return out;
}

TEST(ThresholdSearch, ThresholdsAreNumpysLinspace) {
  // numpy.linspace(0.2, 0.7, 11).tolist()
  const std::vector<double> expected{0.2, 0.25, 0.3, 0.35, 0.4, 0.44999999999999996, 0.5, 0.55, 0.6, 0.6499999999999999,
                                     0.7};
  for (std::size_t i = 0; i < 11; ++i) EXPECT_EQ(searched_thresholds[i], expected[i]) << i;
}

TEST(ThresholdSearch, LevelsHoldTheMaskOfEveryThreshold) {
  const Picture p = picture(1, 0.5);
  const Image levels = levels_of(p.map.view());
  const std::vector<double> curve = dice_curve(levels, p.truth);
  for (std::size_t i = 0; i < 11; ++i) {
    const Image expected = above(p.map.view(), searched_thresholds[i]);
    const Image mask = mask_of(levels.view(), i);
    for (std::int64_t y = 0; y < 43; ++y)
      for (std::int64_t x = 0; x < 61; ++x)
        ASSERT_EQ(mask.view().row<std::uint8_t>(y)[x], expected.view().row<std::uint8_t>(y)[x]) << i;
    EXPECT_EQ(curve[i], dice_of(expected, p.truth)) << i;
  }
}

TEST(ThresholdSearch, IgnoredPixelsChangeNothing) {
  Picture p = picture(4, 0.5);
  Image ignored({61, 43}, 1);
  for (std::int64_t y = 10; y < 30; ++y) std::fill_n(ignored.view().row<std::uint8_t>(y) + 7, 25, std::uint8_t{255});
  const std::vector<double> before = dice_curve(levels_of(p.map.view()), p.truth, ignored);
  EXPECT_NE(before, dice_curve(levels_of(p.map.view()), p.truth));
  for (std::int64_t y = 10; y < 30; ++y)
    for (std::int64_t x = 7; x < 32; ++x) {
      float& value = p.map.view().row<float>(y)[x];
      std::uint8_t& truth = p.truth.view().row<std::uint8_t>(y)[x];
      value = 1 - value, truth = static_cast<std::uint8_t>(255 - truth);
    }
  const Image levels = levels_of(p.map.view());
  EXPECT_EQ(before, dice_curve(levels, p.truth, ignored));
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(before[i], dice_of(mask_of(levels.view(), i), p.truth, ignored)) << i;
  EXPECT_THROW(dice_curve(levels, p.truth, Image({4, 4}, 1)), Error);
}

TEST(ThresholdSearch, TheBestOfAllIsThatOfTheHighestMeanDice) {
  std::vector<Picture> pictures;
  for (const auto& [seed, shift] : {std::pair<int, double>{1, 0.3}, {2, 0.62}, {3, 0.55}})
    pictures.push_back(picture(static_cast<std::uint64_t>(seed), shift));
  // Straightforwardly: every threshold on every picture.
  double best_mean = -1, best_threshold = -1;
  std::vector<double> own(pictures.size(), -1), own_dice(pictures.size(), -1);
  for (const double t : searched_thresholds) {
    double mean = 0;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      const double dice = dice_of(above(pictures[i].map.view(), t), pictures[i].truth);
      mean += dice / static_cast<double>(pictures.size());
      if (dice > own_dice[i]) own_dice[i] = dice, own[i] = t;
    }
    if (mean > best_mean) best_mean = mean, best_threshold = t;
  }
  std::vector<std::vector<double>> curves;
  std::vector<std::span<const double>> views;
  for (const Picture& p : pictures) curves.push_back(dice_curve(levels_of(p.map.view()), p.truth));
  for (const auto& c : curves) views.emplace_back(c);
  EXPECT_EQ(searched_thresholds[best_of_all(views)], best_threshold);
  for (std::size_t i = 0; i < pictures.size(); ++i) EXPECT_EQ(searched_thresholds[best_of(curves[i])], own[i]);
  EXPECT_NE(own[0], own[1]) << "the pictures agree, so that the test says little";
}

TEST(ThresholdSearch, EmptyMasks) {
  const Image none({4, 4}, 1, Depth::f32), truth({4, 4}, 1);
  const std::vector<double> curve = dice_curve(levels_of(none.view()), truth);
  for (const double dice : curve) EXPECT_EQ(dice, 1);
  EXPECT_EQ(best_of(curve), 0U);
}

}  // namespace
}  // namespace nephron::host
