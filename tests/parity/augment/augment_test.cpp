// Each augmentation draws its parameters through the plugin; Albumentations 2.0.8 gets the same ones; pictures must
// agree.
//
// Tolerances. Mirrors and tables: none. Blur: one grey level, for OpenCV's fixed-point kernels differ between versions
// in their last bit. Affine maps: OpenCV 4.6 (ours) rounds positions to 1/32 px, OpenCV 5 (the peer's) does not, so
// where the picture changes by g grey levels from one pixel to the next, results may differ by g / 32 an axis, and
// labels by the pixels whose position lies within 1/64 px of the border between two.
#include <cmath>

#include "augment_fixture.hpp"

namespace nephron::host {
namespace {

TEST_F(AugmentParity, FlipIsExact) {
  for (std::uint64_t i = 0; i < 12; ++i) {
    RecordedPlan plan = draw("flip", {}, i);
    bool h = false, v = false;
    if (!plan.steps().empty()) {
      const auto& flip = std::get<FlipStep>(plan.steps()[0]);
      h = flip.horizontal, v = flip.vertical;
    }
    add({{"transform", "flip"}, {"horizontal", h}, {"vertical", v}}, std::move(plan));
  }
  for (const Difference& d : compare()) {
    EXPECT_EQ(d.worst, 0);
    EXPECT_EQ(d.labels, 0);
  }
}

TEST_F(AugmentParity, BrightnessContrastIsExact) {
  for (std::uint64_t i = 0; i < 12; ++i) {
    RecordedPlan plan = draw("brightness_contrast", {{"brightness", 0.3, {}}, {"contrast", 0.4, {}}}, i);
    // The same draws, made once more: the plan holds only the table.
    Rng rng = generator_of(i);
    const double alpha = 1 + rng.uniform(-0.4, 0.4), beta = rng.uniform(-0.3, 0.3) * 255;
    add({{"class", "RandomBrightnessContrast"}, {"params", {{"alpha", alpha}, {"beta", beta}}}}, std::move(plan));
  }
  for (const Difference& d : compare()) EXPECT_EQ(d.worst, 0);
}

TEST_F(AugmentParity, GaussianBlurIsWithinOneGreyLevel) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    RecordedPlan plan = draw("gaussian_blur", {{"limit", Value::Array{3, 9}, {}}}, i);
    const auto side = std::get<SeparableStep>(plan.steps()[0]).horizontal.size();
    add({{"transform", "blur"}, {"side", side}}, std::move(plan));
    plan = draw("gaussian_blur", {{"limit", Value::Array{3, 9}, {}}, {"compat", "2.0.8", {}}}, i);
    Rng rng = generator_of(i);
    const double sigma = rng.uniform(0.5, 3.0);
    const auto size = rng.integer(3, 9);
    add({{"transform", "blur"}, {"sigma", sigma}, {"size", size}}, std::move(plan));
  }
  for (const Difference& d : compare()) EXPECT_LE(d.worst, 1);
}

TEST_F(AugmentParity, ShiftScaleRotateIsAffineWithinRoundingOfPositions) {
  for (std::uint64_t i = 0; i < 12; ++i) {
    const bool constant = i % 2 == 1;
    RecordedPlan plan =
        draw("shift_scale_rotate", {{"compat", "2.0.8", {}}, {"border", constant ? "constant" : "reflect_101", {}}}, i);
    const int border = constant ? cv::BORDER_CONSTANT : cv::BORDER_REFLECT_101;
    const auto& m = std::get<AffineStep>(plan.steps()[0]).forward.m;
    const double cx = width / 2.0 - 0.5, cy = height / 2.0 - 0.5;
    // Albumentations builds its matrix from these numbers itself: the order of scale, rotation and shift is compared
    // too.
    add({{"transform", "affine"},
         {"sx", std::hypot(m[0], m[3])},
         {"sy", std::hypot(m[1], m[4])},
         {"angle", -std::atan2(m[3], m[0]) * 180 / M_PI},
         {"dx", std::lround(m[0] * cx + m[1] * cy + m[2] - cx)},
         {"dy", std::lround(m[3] * cx + m[4] * cy + m[5] - cy)},
         {"border", border}},
        std::move(plan));
    plan = draw("shift_scale_rotate", {{"border", constant ? "constant" : "reflect_101", {}}}, i);
    const std::vector<double> matrix(std::get<AffineStep>(plan.steps()[0]).forward.m.begin(),
                                     std::get<AffineStep>(plan.steps()[0]).forward.m.end());
    add({{"transform", "matrix"}, {"matrix", matrix}, {"border", border}}, std::move(plan));
  }
  double worst = 0, mean = 0, labels = 0;
  for (const Difference& d : compare()) {
    worst = std::max(worst, d.worst), mean = std::max(mean, d.mean), labels = std::max(labels, d.labels);
    EXPECT_LE(d.worst, 6);  // constant borders: a step of up to 200 grey levels / 32
    EXPECT_LE(d.mean, 0.5);
    EXPECT_LE(d.labels, 0.006);  // 4 of the 16 x 12 px blocks' borders lie within 1/64 px
  }
  std::printf("[ measured ] affine: worst %.0f grey levels, mean %.3f, labels %.4f\n", worst, mean, labels);
}

}  // namespace
}  // namespace nephron::host
