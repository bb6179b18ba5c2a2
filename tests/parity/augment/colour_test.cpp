// What changes colours. Exact where the plugin computes as Albumentations does; what a cube of colours costs is
// measured.
#include <cmath>

#include "tissue_fixture.hpp"

namespace nephron::host {
namespace {

/// The bar for what is computed alike: one grey level on 99.9 % of the pixels.
void expect_alike(double beyond_one, double labels) {
  EXPECT_LE(beyond_one, 0.001);
  EXPECT_EQ(labels, 0);
}

TEST_F(TissueParity, GammaAndShiftsAreTables) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    RecordedPlan plan = draw("gamma", {{"limit", Value::Array{50, 180}, {}}}, i);
    add({{"class", "RandomGamma"}, {"params", {{"gamma", generator_of(i).uniform(50, 180) / 100}}}}, std::move(plan));
    plan = draw("rgb_shift", {{"red", 30, {}}, {"green", 0, {}}, {"blue", 30, {}}}, i);
    Rng rng = generator_of(i);
    const double red = rng.uniform(-30, 30), green = rng.uniform(0, 0), blue = rng.uniform(-30, 30);
    add({{"class", "RGBShift"}, {"params", {{"noise_map", {{"array", {red, green, blue}}}}}}}, std::move(plan));
  }
  const Difference d = compare_all("gamma, rgb_shift");
  EXPECT_EQ(d.worst, 0);
  EXPECT_EQ(d.labels, 0);
}

TEST_F(TissueParity, ToGrayIsRounded) {
  for (const char* method : {"weighted_average", "average"})
    add({{"class", "ToGray"}, {"init", {{"method", method}}}}, draw("to_gray", {{"method", method, {}}}, 1));
  const Difference d = compare_all("to_gray");
  EXPECT_LE(d.worst, 1);
}

TEST_F(TissueParity, ClaheIsOpenCvs) {
  for (std::uint64_t i = 0; i < 6; ++i)
    add({{"class", "CLAHE"}, {"params", {{"clip_limit", generator_of(i).uniform(1, 4)}}}}, draw("clahe", {}, i));
  const Difference d = compare_all("clahe");
  expect_alike(d.beyond_one, d.labels);
}

nlohmann::json hsv_job(std::uint64_t i) {
  Rng rng = generator_of(i);
  const double hue = rng.uniform(-30, 30), saturation = rng.uniform(-30, 30), value = rng.uniform(-30, 30);
  return {{"class", "HueSaturationValue"},
          {"params", {{"hue_shift", hue}, {"sat_shift", saturation}, {"val_shift", value}}}};
}

Value::Table hsv_params(bool exact) {
  return {{"hue", 30, {}}, {"saturation", 30, {}}, {"value", 30, {}}, {"exact", exact, {}}};
}

TEST_F(TissueParity, HueSaturationValueIsTheSameWholeNumbers) {
  for (std::uint64_t i = 0; i < 10; ++i) add(hsv_job(i), draw("hue_saturation_value", hsv_params(true), i));
  const Difference d = compare_all("hue_saturation_value, exact");
  expect_alike(d.beyond_one, d.labels);
}

// Hues in steps of two degrees on its side; interpolation between the cube's nodes on ours. Where a pixel is nearly
// grey, its hue is chance and more saturation makes that plain, on its side at once, on ours by degrees.
TEST_F(TissueParity, HueSaturationValueByACubeIsNear) {
  for (std::uint64_t i = 0; i < 10; ++i) add(hsv_job(i), draw("hue_saturation_value", hsv_params(false), i));
  const Difference d = compare_all("hue_saturation_value, cube");
  EXPECT_LE(d.mean, 2);
}

nlohmann::json jitter_job(std::uint64_t i) {
  Rng rng = generator_of(i);
  nlohmann::json params{{"brightness", rng.uniform(0.7, 1.3)}};
  params["contrast"] = rng.uniform(0.7, 1.3), params["saturation"] = rng.uniform(0.7, 1.3);
  params["hue"] = rng.uniform(-0.05, 0.05);
  std::array<int, 4> order{0, 1, 2, 3};
  for (std::size_t k = 3; k > 0; --k)
    std::swap(order[k], order[static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(k)))]);
  params["order"] = order;
  return {{"class", "ColorJitter"}, {"params", params}};
}

Value::Table jitter_params(bool exact, double grey = 147) {
  return {{"brightness", 0.3, {}}, {"contrast", 0.3, {}}, {"saturation", 0.3, {}},
          {"hue", 0.05, {}},       {"exact", exact, {}},  {"grey", grey, {}}};
}

TEST_F(TissueParity, ColorJitterIsTheSameWholeNumbers) {
  for (std::uint64_t i = 0; i < 12; ++i) add(jitter_job(i), draw("color_jitter", jitter_params(true), i));
  const Difference d = compare_all("color_jitter, exact");
  expect_alike(d.beyond_one, d.labels);
}

TEST_F(TissueParity, ColorJitterByACubeIsNear) {
  cv::Mat grey;
  cv::cvtColor(image_, grey, cv::COLOR_RGB2GRAY);
  for (std::uint64_t i = 0; i < 12; ++i) {
    nlohmann::json job = jitter_job(i);
    job["params"]["order"] = {1, 0, 2, 3};  // contrast first: about the mean of the picture as it was
    RecordedPlan plan({width, height});
    for (std::uint64_t k = 0;; ++k) {  // a draw of that order
      nlohmann::json drawn = jitter_job(k + 100 * i);
      if (drawn["params"]["order"] != job["params"]["order"]) continue;
      plan = draw("color_jitter", jitter_params(false, cv::mean(grey)[0]), k + 100 * i);
      job = std::move(drawn);
      break;
    }
    add(std::move(job), std::move(plan));
  }
  const Difference d = compare_all("color_jitter, cube");
  EXPECT_LE(d.mean, 1.5);
}

}  // namespace
}  // namespace nephron::host
