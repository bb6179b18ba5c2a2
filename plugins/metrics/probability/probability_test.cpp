#include <nephron/metric_curves.hpp>

#include <tests/support/metric_fixture.hpp>

namespace nephron::host {
namespace {

using Probability = MetricTest;

TEST_F(Probability, BrierIsTheMeanSquare) {
  // Right with 0.9 twice, wrong once, and once ignored.
  EXPECT_NEAR(values(*shown(*make("brier"), {"#.t?"})).at("brier"), (0.01 + 0.01 + 0.81) / 3, 1e-6);
  EXPECT_TRUE(std::isnan(values(*shown(*make("brier"), {"??"})).at("brier"))) << "no pixel counts";
}

TEST_F(Probability, CalibrationComparesWithFrequencies) {
  // Of ten pixels with 0.9, nine are true.
  const auto calibrated = values(*shown(*make("calibration"), {"#########p"}));
  EXPECT_NEAR(calibrated.at("ece"), 0, 1e-6);
  const auto sure = values(*shown(*make("calibration"), {"####pppp"}));
  EXPECT_NEAR(sure.at("ece"), 0.4, 1e-6);
  EXPECT_NEAR(sure.at("mce"), 0.4, 1e-6);
  const auto certain = values(*shown(*make("calibration"), {"#p.."}, 1, 1.0F));
  EXPECT_NEAR(certain.at("ece"), 0.25, 1e-6) << "probabilities of 1 have a bin of their own";
}

TEST_F(Probability, CalibrationHasACurve) {
  const auto measured = shown(*make("calibration"), {"#########p"});
  const auto* const curves = dynamic_cast<const nephron::HasCurves*>(measured.get());
  ASSERT_NE(curves, nullptr);
  const std::vector<nephron::MetricCurve> all = curves->curves();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].name, "reliability");
  ASSERT_EQ(all[0].points.size(), 1U) << "bins without a pixel have no point";
  EXPECT_NEAR(all[0].points[0].x, 0.9, 1e-6);
  EXPECT_NEAR(all[0].points[0].y, 0.9, 1e-6);
}

TEST_F(Probability, AuprcRanksPixels) {
  EXPECT_EQ(values(*shown(*make("auprc"), {"##.."})).at("auprc"), 1);
  EXPECT_EQ(values(*shown(*make("auprc"), {"#p.."})).at("auprc"), 0.5) << "equal probabilities are one threshold";
  EXPECT_TRUE(std::isnan(values(*shown(*make("auprc"), {"pp.."})).at("auprc"))) << "no true pixel";
  const auto auprc = make("auprc");
  const auto sum = auprc->begin(slide({}));
  sum->add(*shown(*auprc, {"##"}));
  sum->add(*shown(*auprc, {"pp"}));
  EXPECT_EQ(values(*sum).at("auprc"), 0.5);
}

}  // namespace
}  // namespace nephron::host
