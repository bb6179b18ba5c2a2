// Bootstrap, paired tests, variances and power. tests/parity/stats compares them with scipy and statsmodels.
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/rng.hpp>

#include <host/stats/bootstrap.hpp>
#include <host/stats/distributions.hpp>
#include <host/stats/moments.hpp>
#include <host/stats/paired.hpp>
#include <host/stats/power.hpp>
#include <host/stats/sign_flip.hpp>
#include <host/stats/variance.hpp>
#include <tests/support/error_of.hpp>

namespace nephron::host {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

std::vector<double> normal(Rng& rng, std::size_t n, double mean = 0, double spread = 1) {
  std::vector<double> out(n);
  for (double& v : out) v = mean + spread * rng.normal();
  return out;
}

TEST(Bootstrap, HasNoIntervalOfWhatDoesNotVary) {
  const BootstrapIntervals alike = bootstrap_mean(std::vector<double>(8, 0.25), 999, 1);
  EXPECT_EQ(alike.percentile.low, 0.25);
  EXPECT_TRUE(std::isnan(alike.bca.low));
  EXPECT_TRUE(std::isnan(bootstrap_mean(std::vector<double>{}, 999, 1).percentile.low));
  EXPECT_TRUE(std::isnan(bootstrap({4, 99, 1}, [](auto) { return std::nan(""); }).percentile.low));
}

TEST(Bootstrap, CoversTooLittleOfFewDonors) {
  // Why the interval that is shown is the test inverted (docs/comparison.md has the figures).
  std::size_t percentile = 0, bca = 0, inverted = 0;
  constexpr std::size_t times = 2000;
  for (std::size_t i = 0; i < times; ++i) {
    Rng rng(31, "coverage", 8, i);
    const std::vector<double> d = normal(rng, 8);
    const BootstrapIntervals b = bootstrap_mean(d, 999, i);
    percentile += b.percentile.holds(0) ? 1 : 0, bca += b.bca.holds(0) ? 1 : 0;
    inverted += SignFlipTest(d).interval().holds(0) ? 1 : 0;
  }
  EXPECT_LT(percentile, times * 0.92);
  EXPECT_LT(bca, times * 0.92);
  EXPECT_GT(inverted, times * 0.935);
}

TEST(ShareFirst, CountsDrawsAndSharesTies) {
  const std::vector<double> a{1, 2, 3, 4}, better{2, 3, 4, 5};
  EXPECT_THAT(share_first({a, better}, true, {4, 1000, 1}), ElementsAre(0, DoubleNear(1, 1e-9)));
  EXPECT_THAT(share_first({a, better}, false, {4, 1000, 1}), ElementsAre(DoubleNear(1, 1e-9), 0));
  EXPECT_THAT(share_first({a, a}, true, {4, 1000, 1}), ElementsAre(DoubleNear(0.5, 1e-9), DoubleNear(0.5, 1e-9)));
}

TEST(SignedRank, KnowsEmptyAndZero) {
  EXPECT_EQ(signed_rank({}).p, 1);
  EXPECT_EQ(signed_rank(std::vector<double>{0, 0}).ranked, 0U);
  EXPECT_DOUBLE_EQ(signed_rank(std::vector<double>{1, 2, 3, 4, 5, 0}).p, 0.0625);
}

TEST(PairedT, SaysNothingOfOneDifference) {
  EXPECT_TRUE(std::isnan(paired_t(std::vector<double>{1}).p));
  EXPECT_TRUE(std::isnan(paired_t(std::vector<double>{0, 0}).p));
  EXPECT_EQ(paired_t(std::vector<double>{1, 1}).p, 0);
}

TEST(Holm, StepsDownInTheOrderThatItWasGiven) {
  EXPECT_THAT(holm(std::vector<double>{0.04, 0.01, 0.03}),
              ElementsAre(DoubleNear(0.06, 1e-15), DoubleNear(0.03, 1e-15), DoubleNear(0.06, 1e-15)));
  EXPECT_THAT(holm(std::vector<double>{0.9, 0.8}), ElementsAre(1, 1));
  EXPECT_TRUE(holm({}).empty());
}

TEST(Variance, ComponentsComeBack) {
  // Donors 0.1, seeds 0.02, rest 0.01: means of many made-up experiments.
  double donors = 0, seeds = 0, rest = 0;
  constexpr int times = 400;
  for (int t = 0; t < times; ++t) {
    Rng rng(5, "components", 0, static_cast<std::uint64_t>(t));
    const std::vector<double> of_donor = normal(rng, 12, 0.8, 0.1);
    std::vector<std::vector<double>> table(4, of_donor);
    for (auto& row : table) {
      const double seed = 0.02 * rng.normal();
      for (double& v : row) v += seed + 0.01 * rng.normal();
    }
    const CrossedVariance v = crossed_variance(table);
    donors += v.of_donors / times, seeds += v.of_seeds / times, rest += v.of_rest / times;
  }
  EXPECT_NEAR(donors, 0.01, 0.0008);
  EXPECT_NEAR(seeds, 0.0004, 0.00007);
  EXPECT_NEAR(rest, 0.0001, 0.000004);
  EXPECT_EQ(error_of([] { crossed_variance({{1, 2}}); }), "variances of donors and seeds need two of both");
}

TEST(Variance, OfOneMeanSquareIsStudents) {
  const std::vector<double> d{0.1, 0.3, -0.2, 0.4, 0.25};
  const WeighedSquare one{1.0 / 5, {variance_of(d), 4}};
  const MeanWithVariance mean = t_interval(mean_of(d), satterthwaite({&one, 1}));
  EXPECT_NEAR(mean.p, paired_t(d).p, 1e-14);
  EXPECT_TRUE(mean.interval.holds(0) == (mean.p > 0.05));
}

TEST(Power, GrowsWithEverythingAndIsTheLevelOfNoEffect) {
  Rng rng(6, "test");
  PowerBasis basis;
  basis.differences = normal(rng, 12, 0, 0.02);
  basis.effect = 0;
  const Design now{12, 1, {}};
  EXPECT_NEAR(PowerModel(basis, 1).power(now), 0.05, 0.02);
  basis.effect = 0.01;
  const PowerModel model(basis, 1);
  EXPECT_LT(model.power(now), model.power({40, 1, {}}));
  const auto donors = donors_for(model, now, 0.8, 1000);
  ASSERT_TRUE(donors);
  EXPECT_GE(model.power({*donors, 1, {}}), 0.8);
  EXPECT_LT(model.power({*donors - 1, 1, {}}), 0.8);
  EXPECT_FALSE(donors_for(model, now, 0.8, *donors - 1));
}

TEST(Power, WhatSlidesAndSeedsLessenIsNotThatOfDonors) {
  Rng rng(7, "test");
  PowerBasis basis;
  basis.differences = normal(rng, 12, 0, 0.02);
  basis.effect = 0.012;
  const Design now{12, 1, {}};
  EXPECT_FALSE(slides_for(PowerModel(basis, 1), now, 0.99, 1000)) << "without a known spread of slides";
  basis.slide_variance = 0.9 * variance_of(basis.differences);
  EXPECT_TRUE(slides_for(PowerModel(basis, 1), now, 0.99, 1000));
  basis.of_recipe = true, basis.seed_variance = 1e-4, basis.seeds = {3, 3};
  const PowerModel recipe(basis, 1);
  EXPECT_LT(recipe.power({12, 1, {2, 2}}), recipe.power({12, 1, {12, 12}}));
  EXPECT_LT(recipe.power({200, 1, {2, 2}}), 0.8) << "no number of donors makes up for seeds";
}

TEST(Distributions, Tails) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_EQ(normal_cdf(INFINITY), 1);
  EXPECT_EQ(t_two_sided(INFINITY, 3), 0);
}

}  // namespace
}  // namespace nephron::host
