// Steps whose arithmetic is ours: densities against scikit-image, coarse grids against Albumentations' dense fields.
//
// Tolerances. Stains: one grey level, for both sides round and neither computes as the other. Elastic: OpenCV 5 (the
// peer's) does not round positions to 1/32 px, as for affine maps.
#include <cmath>

#include "augment_fixture.hpp"

namespace nephron::host {
namespace {

/// The draws of hed_jitter, made once more: the plan holds only the matrix.
nlohmann::json stain_draws(double scale, double shift, std::uint64_t index) {
  Rng rng = generator_of(index);
  std::vector<double> scales, shifts;
  for (int k = 0; k < 3; ++k) {
    scales.push_back(rng.uniform(1 - scale, 1 + scale));
    shifts.push_back(rng.uniform(-shift, shift));
  }
  return {{"scales", scales}, {"shifts", shifts}};
}

TEST_F(AugmentParity, HedJitterIsScikitImagesStains) {
  // No stain is negative, before or after: scikit-image cuts off what is. Its amounts are ours.
  constexpr double stains[3][3] = {{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}, {0.27, 0.57, 0.78}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double amounts[3] = {0.6 + 0.4 * std::sin(0.11 * x), 0.5 + 0.3 * std::cos(0.07 * y + 0.05 * x),
                                 0.4 + 0.2 * std::sin(0.09 * y)};
      for (int c = 0; c < 3; ++c)
        image_.at<cv::Vec3b>(y, x)[c] = cv::saturate_cast<std::uint8_t>(
            255 * std::exp(-amounts[0] * stains[0][c] - amounts[1] * stains[1][c] - amounts[2] * stains[2][c]));
    }
  write_pictures();
  for (std::uint64_t i = 0; i < 10; ++i) {
    nlohmann::json job = stain_draws(0.3, 0.1, i);
    job["transform"] = "stains";
    add(std::move(job), draw("hed_jitter", {{"scale", 0.3, {}}, {"shift", 0.1, {}}}, i));
  }
  double worst = 0, mean = 0;
  for (const Difference& d : compare()) {
    worst = std::max(worst, d.worst), mean = std::max(mean, d.mean);
    EXPECT_LE(d.worst, 1);
    EXPECT_LE(d.mean, 0.01);
    EXPECT_EQ(d.labels, 0);
  }
  std::printf("[ measured ] stains: worst %.0f grey levels, mean %.5f\n", worst, mean);
}

TEST_F(AugmentParity, HedJitterIsItsFormulaForAnyColours) {
  Rng rng(2, "colours");
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        image_.at<cv::Vec3b>(y, x)[c] =
            static_cast<std::uint8_t>(std::clamp<std::int64_t>(rng.integer(-20, 275), 0, 255));
  write_pictures();
  for (std::uint64_t i = 0; i < 10; ++i) {
    nlohmann::json job = stain_draws(0.5, 0.3, i);
    job["transform"] = "densities";
    job["white"] = {243, 240, 251};
    add(std::move(job),
        draw("hed_jitter", {{"scale", 0.5, {}}, {"shift", 0.3, {}}, {"white", Value::Array{243, 240, 251}, {}}}, i));
  }
  for (const Difference& d : compare()) {
    EXPECT_LE(d.worst, 1);
    EXPECT_LE(d.mean, 0.01);
  }
}

nlohmann::json grid_job(const char* what, const char* name, const DisplacementStep& step) {
  const ImageView& v = step.grid.view();
  const std::vector<float> grid(v.row<float>(0), v.row<float>(0) + 2 * v.size().area());
  return {{what, name}, {"grid", grid}, {"across", v.width}, {"down", v.height}, {"spacing", step.spacing}};
}

TEST_F(AugmentParity, ElasticIsElasticTransformOfTheSameField) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    const bool constant = i % 2 == 1;
    RecordedPlan plan = draw(
        "elastic",
        {{"alpha", 200, {}}, {"sigma", 3 + 2 * double(i), {}}, {"border", constant ? "constant" : "reflect_101", {}}},
        i);
    nlohmann::json job = grid_job("transform", "elastic", std::get<DisplacementStep>(plan.steps()[0]));
    job["border"] = static_cast<int>(constant ? cv::BORDER_CONSTANT : cv::BORDER_REFLECT_101);
    add(std::move(job), std::move(plan));
  }
  double worst = 0, mean = 0, labels = 0;
  for (const Difference& d : compare()) {
    worst = std::max(worst, d.worst), mean = std::max(mean, d.mean), labels = std::max(labels, d.labels);
    EXPECT_LE(d.worst, 6);  // constant borders: a step of up to 200 grey levels / 32
    EXPECT_LE(d.mean, 0.5);
    EXPECT_LE(d.labels, 0.001);  // positions within a float's rounding of the border between two pixels
  }
  std::printf("[ measured ] elastic: worst %.0f grey levels, mean %.3f, labels %.5f\n", worst, mean, labels);
}

TEST_F(AugmentParity, ElasticFieldsVaryAsThoseOfAlbumentationsDo) {
  constexpr double alpha = 100, sigma = 8;
  constexpr int side = 256, distance = 8;
  for (const bool today : {false, true}) {
    SCOPED_TRACE(today ? "2.0.8" : "2021");
    jobs_.clear(), plans_.clear();
    add({{"numbers", "elastic_fields"},
         {"alpha", alpha},
         {"sigma", sigma},
         {"side", side},
         {"distance", distance},
         {"noise", today ? "gaussian" : "uniform"},
         {"fields", 60}},
        RecordedPlan({width, height}));
    double squares = 0, products = 0, n = 0, pairs = 0;
    const Augmenter elastic =
        augmenter("elastic", {{"alpha", alpha, {}}, {"sigma", sigma, {}}, {"compat", today ? "2.0.8" : "2021", {}}});
    for (std::uint64_t i = 0; i < 120; ++i) {
      const RecordedPlan plan = draw(elastic, i, {side, side});
      const auto& step = std::get<DisplacementStep>(plan.steps()[0]);
      const ImageView& v = step.grid.view();
      for (std::int64_t y = 0; y < v.height; ++y)
        for (std::int64_t x = 0; x < 2 * v.width; ++x) {
          const double d = v.row<float>(y)[x];
          squares += d * d, ++n;
          const std::int64_t before = x - 2 * (distance / step.spacing);
          if (before >= 0) products += d * double(v.row<float>(y)[before]), ++pairs;
        }
    }
    run_peer();
    const nlohmann::json peer = answer(0);
    const double deviation = std::sqrt(squares / n), correlation = products / pairs / (squares / n);
    std::printf("[ measured ] elastic: deviation %.4f px, Albumentations %.4f; correlation over sigma %.4f, %.4f\n",
                deviation, peer["deviation"].get<double>(), correlation, peer["correlation"].get<double>());
    EXPECT_NEAR(deviation / peer["deviation"].get<double>(), 1, 0.03);
    EXPECT_NEAR(correlation, peer["correlation"].get<double>(), 0.02);
  }
}

TEST_F(AugmentParity, TheCoarseGridOfElasticIsNearASmoothField) {
  for (const double sigma : {6.0, 8.0, 20.0, 25.0}) {
    const RecordedPlan plan = draw("elastic", {{"alpha", 10 * sigma, {}}, {"sigma", sigma, {}}}, 1);
    nlohmann::json job = grid_job("numbers", "elastic_error", std::get<DisplacementStep>(plan.steps()[0]));
    job["size"] = {height, width};
    add(std::move(job), plan);
  }
  run_peer();
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    const nlohmann::json peer = answer(i);
    const double deviation = peer["deviation"], rms = peer["rms"], worst = peer["worst"];
    std::printf("[ measured ] elastic, grid of %d px: off by %.4f of the deviation, at most %.4f\n",
                jobs_[i]["spacing"].get<int>(), rms / deviation, worst / deviation);
    EXPECT_LT(rms / deviation, 0.02);
    EXPECT_LT(worst / deviation, 0.1);
  }
}

}  // namespace
}  // namespace nephron::host
