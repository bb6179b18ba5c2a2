// Filters, noise and what else makes a picture worse. Kernels are drawn by the plugin and told; noise is read off a
// grey picture, for generators differ.
#include <cmath>
#include <numeric>

#include "augment_fixture.hpp"

namespace nephron::host {
namespace {

nlohmann::json pair_of(double v) { return {v, v}; }

TEST_F(AugmentParity, DefocusIsTheSameDisk) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    Rng rng = generator_of(i);
    const auto radius = rng.integer(3, 10);
    const double alias = rng.uniform(0.1, 0.5);
    add({{"class", "Defocus"}, {"params", {{"radius", radius}, {"alias_blur", alias}}}}, draw("defocus", {}, i));
  }
  const Difference d = compare_all("defocus");
  EXPECT_LE(d.worst, 1);
  EXPECT_EQ(d.labels, 0);
}

TEST_F(AugmentParity, MotionBlurIsTheSameLine) {
  const Value::Array limit{3, 9};
  for (std::uint64_t i = 0; i < 16; ++i) {
    Rng rng = generator_of(i);
    const int side = 3 + 2 * int(rng.integer(0, 3));
    if (i % 2 == 0) {
      const auto x0 = rng.integer(0, side - 1), x1 = rng.integer(0, side - 1), y0 = rng.integer(0, side - 1);
      auto y1 = rng.integer(0, x0 == x1 ? side - 2 : side - 1);
      if (x0 == x1 && y1 >= y0) ++y1;
      add({{"transform", "motion_line"}, {"side", side}, {"from", {x0, y0}}, {"to", {x1, y1}}},
          draw("motion_blur", {{"limit", limit, {}}}, i));
    } else {
      const double angle = rng.uniform(0, 360), direction = rng.uniform(-1, 1);
      add({{"class", "MotionBlur"},
           {"init",
            {{"blur_limit", {side, side}},
             {"angle_range", pair_of(angle)},
             {"direction_range", pair_of(direction)},
             {"allow_shifted", false}}}},
          draw("motion_blur", {{"limit", limit, {}}, {"shifted", false, {}}, {"compat", "2.0.8", {}}}, i));
    }
  }
  const Difference d = compare_all("motion_blur");
  EXPECT_LE(d.worst, 1);
}

TEST_F(AugmentParity, MedianAndSharpenAreTheSame) {
  for (std::uint64_t i = 0; i < 6; ++i) {
    add({{"class", "MedianBlur"}, {"params", {{"kernel", 3 + 2 * generator_of(i).integer(0, 2)}}}},
        draw("median_blur", {}, i));
    Rng rng = generator_of(i);
    const double alpha = rng.uniform(0.2, 0.5), lightness = rng.uniform(0.5, 1.0);
    add({{"class", "Sharpen"}, {"init", {{"alpha", pair_of(alpha)}, {"lightness", pair_of(lightness)}}}},
        draw("sharpen", {}, i));
    add({{"transform", "unsharp"}, {"alpha", alpha}, {"side", 5}, {"sigma", 1}},
        draw("sharpen", {{"method", "gaussian", {}}}, i));
  }
  const Difference d = compare_all("median_blur, sharpen");
  EXPECT_LE(d.worst, 1);
}

TEST_F(AugmentParity, CompressionAndScalesAreTheSame) {
  for (std::uint64_t i = 0; i < 6; ++i) {
    add({{"class", "ImageCompression"}, {"params", {{"quality", generator_of(i).integer(30, 95)}}}},
        draw("jpeg_compression", {{"quality", Value::Array{30, 95}, {}}}, i));
    const bool nearest = i % 2 == 1;
    const double scale = generator_of(i).uniform(0.25, 0.75);
    const int down = nearest ? cv::INTER_NEAREST : cv::INTER_AREA, up = nearest ? cv::INTER_NEAREST : cv::INTER_LINEAR;
    add({{"class", "Downscale"},
         {"init", {{"interpolation_pair", {{"downscale", down}, {"upscale", up}}}}},
         {"params", {{"scale", scale}}}},
        draw("downscale", {{"down", nearest ? "nearest" : "area", {}}, {"up", nearest ? "nearest" : "linear", {}}}, i));
  }
  const Difference d = compare_all("jpeg_compression, downscale");
  EXPECT_LE(d.beyond_one, 0.001);
  EXPECT_EQ(d.labels, 0);
}

TEST_F(AugmentParity, HolesAreWhereTheyWereDrawn) {
  for (std::uint64_t i = 0; i < 6; ++i) {
    const bool labels = i % 2 == 1;
    Rng rng = generator_of(i);
    std::vector<std::vector<std::int64_t>> holes(static_cast<std::size_t>(rng.integer(2, 5)));
    for (auto& hole : holes) {
      const auto h = std::int64_t(height * rng.uniform(0.1, 0.2)), w = std::int64_t(width * rng.uniform(0.1, 0.2));
      const std::int64_t y = rng.integer(0, height - h), x = rng.integer(0, width - w);
      hole = {x, y, x + w, y + h};
    }
    nlohmann::json init{{"fill", {10, 20, 30}}};
    if (labels) init["fill_mask"] = 0;
    std::vector<std::int64_t> flat;
    for (const auto& hole : holes) flat.insert(flat.end(), hole.begin(), hole.end());
    add({{"class", "CoarseDropout"},
         {"init", init},
         {"params", {{"holes", {{"array", flat}, {"dtype", "int64"}, {"shape", {holes.size(), 4}}}}}}},
        draw("coarse_dropout",
             {{"holes", Value::Array{2, 5}, {}}, {"fill", Value::Array{10, 20, 30}, {}}, {"labels", labels, {}}}, i));
  }
  const Difference d = compare_all("coarse_dropout");
  EXPECT_EQ(d.worst, 0);
  EXPECT_EQ(d.labels, 0);
}

TEST_F(AugmentParity, FogIsTheSameParticles) {
  for (std::uint64_t i = 0; i < 4; ++i) {
    // Once more what the plugin draws: places, then radii.
    Rng rng = generator_of(i);
    const double intensity = rng.uniform(0.3, 1);
    const int cx = int(width / 2.0 - 0.5), cy = int(height / 2.0 - 0.5),
              region = std::max(1, int(width / 3 * intensity));
    int w = width, h = height;
    nlohmann::json places = nlohmann::json::array(), radii = nlohmann::json::array();
    for (int round = 0; round < 10 && w > region && h > region; ++round) {
      for (int k = int(double(w) * h / (double(region) * region) * intensity * 10); k > 0; --k) {
        const auto x = rng.integer(cx - w / 2, cx + w / 2);
        places.push_back({x, rng.integer(cy - h / 2, cy + h / 2)});
      }
      w = int(w * 0.9), h = int(h * 0.9);
    }
    const int most = std::max(2, int(height * 0.1 * intensity)), least = std::max(1, most / 2);
    for (std::size_t k = 0; k < places.size(); ++k) radii.push_back(rng.integer(least, most - 1));
    add({{"class", "RandomFog"},
         {"params", {{"particle_positions", places}, {"radiuses", radii}, {"intensity", intensity}}}},
        draw("fog", {}, i));
  }
  const Difference d = compare_all("fog");
  EXPECT_LE(d.beyond_one, 0.001);
  EXPECT_EQ(d.labels, 0);
}

// The noise of our generator, read off a grey picture, given to Albumentations: in whole levels, for Albumentations
// drops the fraction of its noise where our sums are rounded.
TEST_F(AugmentParity, GaussianNoiseIsAdded) {
  for (std::uint64_t i = 0; i < 4; ++i) {
    RecordedPlan plan = draw("gaussian_noise", {{"per_channel", i % 2 == 0, {}}}, i);
    const cv::Mat picture = image_.clone();
    image_.setTo(cv::Scalar::all(128));
    Image grey({width, height}, 3), labels({width, height}, 1);
    carry_out(plan, grey.view(), {labels.view()});
    picture.copyTo(image_);
    cv::Mat noise;
    as_mat(grey.view()).convertTo(noise, CV_32F, 1, -128);
    const std::string file = "noise" + std::to_string(i);
    std::ofstream(folder_ / file, std::ios::binary)
        .write(noise.ptr<char>(), static_cast<std::streamsize>(noise.total() * noise.elemSize()));
    add({{"class", "GaussNoise"},
         {"params", {{"noise_map", {{"file", file}, {"dtype", "float32"}, {"shape", {height, width, 3}}}}}}},
        std::move(plan));
  }
  const Difference d = compare_all("gaussian_noise");
  EXPECT_LE(d.worst, 1);
  EXPECT_EQ(d.labels, 0);
}

}  // namespace
}  // namespace nephron::host
