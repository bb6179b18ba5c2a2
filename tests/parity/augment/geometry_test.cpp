// What moves pixels. Albumentations gets the numbers that the plugin has drawn, and makes its own maps of them.
//
// Tolerances. OpenCV 5 (the peer's) does not round positions to 1/32 px, ours does: where the picture changes by g grey
// levels from one pixel to the next, results differ by g / 32 an axis, and labels where a position lies within 1/64 px
// of the border between two pixels. At a constant border g is the picture's own value.
#include <cmath>

#include "augment_fixture.hpp"

namespace nephron::host {
namespace {

constexpr double most_labels = 0.006;  // 4 of the 16 x 12 px blocks' borders lie within 1/64 px

void expect_warped(double worst, double mean, double labels) {
  EXPECT_LE(worst, 6);
  EXPECT_LE(mean, 0.5);
  EXPECT_LE(labels, most_labels);
}

const char* border_name(std::uint64_t i) { return i % 2 == 1 ? "constant" : "reflect_101"; }
int border_number(std::uint64_t i) { return i % 2 == 1 ? int(cv::BORDER_CONSTANT) : int(cv::BORDER_REFLECT_101); }

TEST_F(AugmentParity, GridDistortionIsTheSameGrid) {
  for (std::uint64_t i = 0; i < 12; ++i) {
    const bool today = i % 4 >= 2;
    const int steps = i % 3 == 0 ? 6 : 5;  // 6 divides both sides
    RecordedPlan plan =
        draw("grid_distortion",
             {{"steps", steps, {}}, {"compat", today ? "2.0.8" : "2021", {}}, {"border", border_name(i), {}}}, i);
    Rng rng = generator_of(i);
    std::vector<double> xs, ys;
    for (auto* factors : {&xs, &ys})
      for (int k = 0; k <= steps; ++k) factors->push_back(1 + rng.uniform(-0.3, 0.3));
    add({{"transform", "grid_distortion"},
         {"steps", steps},
         {"xs", xs},
         {"ys", ys},
         {"normalized", today},
         {"border", border_number(i)}},
        std::move(plan));
  }
  const Difference d = compare_all("grid_distortion");
  expect_warped(d.worst, d.mean, d.labels);
}

TEST_F(AugmentParity, OpticalDistortionIsTheSameLens) {
  for (std::uint64_t i = 0; i < 12; ++i) {
    const bool today = i % 4 >= 2;
    RecordedPlan plan = draw("optical_distortion",
                             {{"distort", 1, {}},
                              {"shift", 3, {}},
                              {"compat", today ? "2.0.8" : "2021", {}},
                              {"border", border_name(i), {}}},
                             i);
    Rng rng = generator_of(i);
    nlohmann::json job{{"transform", "optical_distortion"}, {"k", rng.uniform(-1, 1)}, {"border", border_number(i)}};
    const double dx = std::nearbyint(rng.uniform(-3, 3)), dy = std::nearbyint(rng.uniform(-3, 3));
    if (!today) job["shift"] = {dx, dy};
    add(std::move(job), std::move(plan));
  }
  const Difference d = compare_all("optical_distortion");
  expect_warped(d.worst, d.mean, d.labels);
}

TEST_F(AugmentParity, PerspectiveIsTheSameQuadrilateral) {
  for (std::uint64_t i = 0; i < 12; ++i) {
    RecordedPlan plan = draw("perspective", {{"border", border_name(i), {}}}, i);
    Rng rng = generator_of(i);
    const double scale = rng.uniform(0.05, 0.1);
    std::vector<double> p;
    for (int k = 0; k < 8; ++k) p.push_back(std::fmod(std::abs(scale * rng.normal()), 0.32));
    for (const std::size_t from_end : {2U, 4U, 5U, 7U}) p[from_end] = 1 - p[from_end];
    for (std::size_t k = 0; k < 8; ++k) p[k] *= k % 2 == 0 ? width : height;
    add({{"transform", "perspective"}, {"points", p}, {"border", border_number(i)}}, std::move(plan));
  }
  const Difference d = compare_all("perspective");
  expect_warped(d.worst, d.mean, d.labels);
}

TEST_F(AugmentParity, ElasticBeginsWithThreePointsMoved) {
  for (std::uint64_t i = 0; i < 8; ++i) {
    RecordedPlan plan =
        draw("elastic",  // the reference's numbers: its noise is left out, which moves nothing
             {{"alpha", 1, {}}, {"sigma", 25, {}}, {"alpha_affine", 25, {}}, {"border", border_name(i), {}}}, i);
    ASSERT_EQ(plan.steps().size(), 1U);
    Rng rng = generator_of(i);
    std::vector<double> moved;
    for (int k = 0; k < 6; ++k) moved.push_back(rng.uniform(-25, 25));
    add({{"transform", "three_points"}, {"moved", moved}, {"border", border_number(i)}}, std::move(plan));
  }
  const Difference d = compare_all("elastic, alpha_affine");
  expect_warped(d.worst, d.mean, d.labels);
}

TEST_F(AugmentParity, AffineIsTheSameMatrix) {
  const Value::Array turns{-40, 70}, scales{0.8, 1.3}, shears{-20, 25}, shifts{-0.1, 0.2};
  for (std::uint64_t i = 0; i < 12; ++i) {
    RecordedPlan plan = draw("affine",
                             {{"scale", scales, {}},
                              {"rotate", turns, {}},
                              {"shear_x", shears, {}},
                              {"shear_y", shears, {}},
                              {"translate_x", shifts, {}},
                              {"translate_y", shifts, {}},
                              {"border", border_name(i), {}}},
                             i);
    Rng rng = generator_of(i);
    nlohmann::json job{{"transform", "affine"}, {"border", border_number(i)}};
    job["dx"] = int(rng.uniform(-0.1, 0.2) * width), job["dy"] = int(rng.uniform(-0.1, 0.2) * height);
    job["shear_x"] = rng.uniform(-20, 25), job["shear_y"] = rng.uniform(-20, 25);
    job["sx"] = rng.uniform(0.8, 1.3), job["sy"] = rng.uniform(0.8, 1.3);
    job["angle"] = rng.uniform(-40, 70);
    add(std::move(job), std::move(plan));
  }
  const Difference d = compare_all("affine");
  expect_warped(d.worst, d.mean, d.labels);
}

TEST_F(AugmentParity, TurnsAreExactOnSquares) {
  const cv::Rect square(0, 0, height, height);
  for (const char* type : {"transpose", "rotate90"}) {
    const Augmenter turns = augmenter(type, {});
    for (std::uint64_t i = 0; i < 8; ++i) {
      const RecordedPlan plan = draw(turns, i, {height, height});
      Image image({height, height}, 3), labels({height, height}, 1);
      carry_out(plan, image.view(), {labels.view()});
      const auto times = std::string(type) == "transpose" ? 0 : generator_of(i).integer(0, 3);
      // As numpy.rot90 (counter-clockwise) and numpy.transpose, which Albumentations calls.
      cv::Mat expected = image_(square).clone(), expected_labels = labels_(square).clone();
      if (std::string(type) == "transpose") {
        cv::transpose(expected, expected), cv::transpose(expected_labels, expected_labels);
      }
      for (std::int64_t k = 0; k < times; ++k) {
        cv::rotate(expected, expected, cv::ROTATE_90_COUNTERCLOCKWISE);
        cv::rotate(expected_labels, expected_labels, cv::ROTATE_90_COUNTERCLOCKWISE);
      }
      EXPECT_EQ(cv::norm(as_mat(image.view()), expected, cv::NORM_INF), 0) << type << i;
      EXPECT_EQ(cv::norm(as_mat(labels.view()), expected_labels, cv::NORM_INF), 0) << type << i;
    }
  }
}

// Its resize reads the part alone: at its edges pixels are repeated, where ours reads what lies beside it. And it takes
// labels from the pixel above and to the left of the place, ours from the nearest. The edges are left out, labels are
// not compared with its own but follow the same map (ShiftScaleRotate's test).
TEST_F(AugmentParity, CropIsRandomResizedCropInsideItsEdges) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    RecordedPlan plan = draw("crop", {{"scale", Value::Array{0.3, 0.9}, {}}}, i);
    const auto& m = std::get<AffineStep>(plan.steps()[0]).forward.m;
    const double x0 = 0.5 - (0.5 + m[2]) / m[0], y0 = 0.5 - (0.5 + m[5]) / m[4];
    const std::vector<long> part{std::lround(x0), std::lround(y0), std::lround(x0 + width / m[0]),
                                 std::lround(y0 + height / m[4])};
    add({{"class", "RandomResizedCrop"}, {"init", {{"size", {height, width}}}}, {"params", {{"crop_coords", part}}}},
        std::move(plan));
  }
  run_peer();
  Difference all;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    cv::Mat theirs = cv::imread((folder_ / ("job" + std::to_string(i) + ".image.png")).string());
    cv::cvtColor(theirs, theirs, cv::COLOR_BGR2RGB);
    Image ours({width, height}, 3), labels({width, height}, 1);
    carry_out(plans_[i], ours.view(), {labels.view()});
    const cv::Rect inner(3, 3, width - 6, height - 6);
    all.take(difference(as_mat(ours.view())(inner), theirs(inner)));
  }
  std::printf("[ measured ] crop: worst %.0f grey levels, mean %.3f, beyond one %.5f\n", all.worst, all.mean,
              all.beyond_one);
  EXPECT_LE(all.worst, 3);
  EXPECT_LE(all.beyond_one, 0.001);
}

}  // namespace
}  // namespace nephron::host
