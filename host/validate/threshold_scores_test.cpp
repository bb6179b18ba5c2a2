#include <host/validate/threshold_scores.hpp>

#include <cmath>

#include <gtest/gtest.h>

#include <host/predict/threshold_search.hpp>

namespace nephron::host {
namespace {

/// Dice that falls by as much as the threshold is away from the best.
SlideCurve curve(int fold, std::size_t best, double height) {
  SlideCurve out{fold, {}};
  for (std::size_t i = 0; i < searched_thresholds.size(); ++i)
    out.dice.push_back(height - 0.05 * std::abs(static_cast<double>(i) - static_cast<double>(best)));
  return out;
}

TEST(ThresholdScores, AFoldIsScoredAtTheThresholdThatTheOthersChoose) {
  const ThresholdScores scores =
      threshold_scores({curve(0, 1, 0.9), curve(0, 1, 0.8), curve(2, 5, 0.9), curve(2, 5, 0.7), curve(2, 5, 0.9)});
  ASSERT_TRUE(scores.crossed);
  EXPECT_EQ(scores.crossed->thresholds, (std::map<int, std::size_t>{{0, 5}, {2, 1}}));
  const std::vector<double> wanted{0.7, 0.6, 0.7, 0.5, 0.7};  // four steps away each
  EXPECT_NEAR(scores.crossed->dice.mean, spread_of(wanted).mean, 1e-12);
  EXPECT_NEAR(scores.crossed->dice.deviation, spread_of(wanted).deviation, 1e-12);
  EXPECT_EQ(scores.best, 5U) << "of all slides, three of five are best there";
  EXPECT_GT(scores.at_best.mean, scores.crossed->dice.mean) << "what is chosen on what it scores flatters";
}

TEST(ThresholdScores, OfOneFoldNothingElseCouldChoose) {
  EXPECT_FALSE(threshold_scores({curve(1, 3, 0.9), curve(1, 4, 0.9)}).crossed);
  const ThresholdScores none = threshold_scores({});
  EXPECT_FALSE(none.crossed);
  EXPECT_EQ(none.best, half);
}

}  // namespace
}  // namespace nephron::host
