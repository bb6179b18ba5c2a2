// 10,000 draws of both sides: what a small picture becomes, or where a pixel is read, must follow the same distribution
// (Kolmogorov and Smirnov's test, column by column) over the same range.
#include <cmath>
#include <functional>

#include "augment_fixture.hpp"

namespace nephron::host {
namespace {

class DrawParity : public AugmentParity {
 protected:
  using Observe = std::function<std::vector<float>(const RecordedPlan& plan)>;

  /// Adds `draws` plans of ours, observed, to a job.
  void add_draws(nlohmann::json job, const std::string& type, const Value::Table& params, Size size,
                 std::uint64_t draws, const Observe& observe) {
    const Augmenter from = augmenter(type, params);
    std::vector<float> ours;
    for (std::uint64_t i = 0; i < draws; ++i) {
      const std::vector<float> seen = observe(draw(from, i, size));
      ours.insert(ours.end(), seen.begin(), seen.end());
    }
    const std::string file = "ours" + std::to_string(jobs_.size());
    std::ofstream(folder_ / file, std::ios::binary)
        .write(reinterpret_cast<const char*>(ours.data()), static_cast<std::streamsize>(ours.size() * sizeof(float)));
    job["numbers"] = "distribution", job["ours"] = file, job["draws"] = draws;
    job["size"] = {size.width, size.height};
    names_.push_back(type);
    add(std::move(job), RecordedPlan(size));
  }
  /// What the picture's corner becomes: every `step`th value of it, from `from` on.
  Observe pixels(Size size, std::int64_t from = 0, std::int64_t step = 1) {
    return [=, this](const RecordedPlan& plan) {
      Image image(size, 3);
      carry_out(plan, image.view(), {});
      std::vector<float> out;
      for (std::int64_t i = from; i < 3 * size.area(); i += step) out.push_back(image.view().row<std::uint8_t>(0)[i]);
      return out;
    };
  }
  /// Ranges may differ by `share` of Albumentations'.
  void expect_alike(double share = 0.1) {
    constexpr double least_believed = 1e-4;
    run_peer();
    for (std::size_t i = 0; i < jobs_.size() && !HasFatalFailure(); ++i) {
      SCOPED_TRACE(names_[i]);
      const nlohmann::json a = answer(i);
      double least = 1;
      for (std::size_t c = 0; c < a["p"].size(); ++c) {
        least = std::min(least, a["p"][c].get<double>());
        const double low = a["low"][1][c], high = a["high"][1][c], room = share * (high - low) + 1e-3;
        EXPECT_NEAR(a["low"][0][c].get<double>(), low, room) << "column " << c;
        EXPECT_NEAR(a["high"][0][c].get<double>(), high, room) << "column " << c;
      }
      std::printf("[ measured ] %s: %d numbers, least p %.4f\n", names_[i].c_str(), int(a["p"].size()), least);
      EXPECT_GT(least, least_believed) << a.dump();
    }
  }

  std::vector<std::string> names_;
};

constexpr Size tiny{2, 1};

TEST_F(DrawParity, Colours) {
  constexpr std::uint64_t n = 10000;
  const auto job = [](const char* name, nlohmann::json init) {
    return nlohmann::json{{"class", name}, {"init", std::move(init)}, {"observe", "pixels"}, {"from", 0}, {"step", 1}};
  };
  add_draws(job("RandomGamma", {{"gamma_limit", {80, 120}}}), "gamma", {}, tiny, n, pixels(tiny));
  add_draws(job("RGBShift", {{"r_shift_limit", 30}, {"g_shift_limit", 20}, {"b_shift_limit", 30}}), "rgb_shift",
            {{"red", 30, {}}, {"blue", 30, {}}}, tiny, n, pixels(tiny));
  add_draws(job("HueSaturationValue", {{"hue_shift_limit", 30}, {"sat_shift_limit", 30}, {"val_shift_limit", 30}}),
            "hue_saturation_value", {{"hue", 30, {}}, {"value", 30, {}}, {"exact", true, {}}}, tiny, n, pixels(tiny));
  add_draws(job("ColorJitter", {{"brightness", 0.3}, {"contrast", 0.3}, {"saturation", 0.3}, {"hue", 0.05}}),
            "color_jitter",
            {{"brightness", 0.3, {}}, {"contrast", 0.3, {}}, {"saturation", 0.3, {}}, {"exact", true, {}}}, tiny, n,
            pixels(tiny));
  add_draws(job("RandomBrightnessContrast", {{"brightness_limit", 0.2}, {"contrast_limit", 0.3}}),
            "brightness_contrast", {{"brightness", 0.2, {}}, {"contrast", 0.3, {}}}, tiny, n, pixels(tiny));
  add_draws(job("HEStain", {{"method", "random_preset"},
                            {"intensity_scale_range", {0.7, 1.3}},
                            {"intensity_shift_range", {-0.2, 0.2}},
                            {"augment_background", true}}),
            "stain_jitter", {}, tiny, n, pixels(tiny));
  expect_alike();
}

// Filters of a corner of 7 x 7 px, whose borders count: every eighth value is looked at. What is slow on the other side
// is drawn 2,000 times.
TEST_F(DrawParity, Filters) {
  constexpr Size size{7, 7};
  constexpr int step = 8;
  const auto job = [&](const char* name, nlohmann::json init) {
    return nlohmann::json{
        {"class", name}, {"init", std::move(init)}, {"observe", "pixels"}, {"from", 0}, {"step", step}};
  };
  add_draws(job("Defocus", {{"radius", {3, 10}}, {"alias_blur", {0.1, 0.5}}}), "defocus", {}, size, 2000,
            pixels(size, 0, step));
  add_draws(job("MotionBlur", {{"blur_limit", {3, 7}}}), "motion_blur",
            {{"limit", Value::Array{3, 7}, {}}, {"compat", "2.0.8", {}}}, size, 10000, pixels(size, 0, step));
  add_draws(job("GaussianBlur", {{"blur_limit", {3, 7}}, {"sigma_limit", {0.5, 3.0}}}), "gaussian_blur",
            {{"limit", Value::Array{3, 7}, {}}, {"compat", "2.0.8", {}}}, size, 10000, pixels(size, 0, step));
  add_draws(job("MedianBlur", {{"blur_limit", {3, 7}}}), "median_blur", {}, size, 10000, pixels(size, 0, step));
  add_draws(job("Sharpen", nlohmann::json::object()), "sharpen", {}, size, 10000, pixels(size, 0, step));
  add_draws(job("CoarseDropout", {{"hole_height_range", {0.2, 0.7}}, {"hole_width_range", {0.2, 0.7}}}),
            "coarse_dropout", {{"height", Value::Array{0.2, 0.7}, {}}, {"width", Value::Array{0.2, 0.7}, {}}}, size,
            10000, pixels(size, 0, step));
  expect_alike(0.15);
}

// What is slow in both: pictures large enough for it, of which some values are looked at.
TEST_F(DrawParity, WholePictures) {
  constexpr Size size{32, 32};
  constexpr int step = 211;
  const auto job = [&](const char* name, nlohmann::json init) {
    return nlohmann::json{
        {"class", name}, {"init", std::move(init)}, {"observe", "pixels"}, {"from", 0}, {"step", step}};
  };
  const auto add_alike = [&](const nlohmann::json& theirs, const char* ours, const Value::Table& params) {
    add_draws(theirs, ours, params, size, 2000, pixels(size, 0, step));
  };
  add_alike(job("ImageCompression", {{"quality_range", {50, 95}}}), "jpeg_compression", {});
  add_alike(job("Downscale", {{"scale_range", {0.25, 0.75}},
                              {"interpolation_pair", {{"downscale", cv::INTER_AREA}, {"upscale", cv::INTER_LINEAR}}}}),
            "downscale", {});
  add_alike(job("CLAHE", {{"clip_limit", {1, 4}}, {"tile_grid_size", {2, 2}}}), "clahe",
            {{"tiles", Value::Array{2, 2}, {}}});
  add_alike(job("RandomFog", {{"fog_coef_range", {0.3, 1.0}}, {"alpha_coef", 0.08}}), "fog", {});
  expect_alike(0.2);
}

// Noise: both sides draw numbers for each pixel; its last ones are looked at, for OpenCV's generator (theirs) begins
// with the same few numbers after every seed. Theirs loses its fraction towards 0 before it is added (2 to 3 % of a
// deviation of 15 grey levels), so that strong noise is compared.
TEST_F(DrawParity, Noise) {
  constexpr Size size{8, 8};
  constexpr int from = 180;
  const auto job = [&](const char* name, nlohmann::json init) {
    return nlohmann::json{
        {"class", name}, {"init", std::move(init)}, {"observe", "pixels"}, {"from", from}, {"step", 1}};
  };
  add_draws(job("GaussNoise", {{"std_range", {0.1, 0.4}}}), "gaussian_noise",
            {{"deviation", Value::Array{0.1, 0.4}, {}}, {"compat", "2.0.8", {}}}, size, 10000, pixels(size, from));
  add_draws(job("ISONoise", {{"intensity", {0.5, 1.0}}}), "iso_noise",
            {{"intensity", Value::Array{0.5, 1.0}, {}}, {"compat", "2.0.8", {}}}, size, 2000, pixels(size, from));
  expect_alike(0.25);
}

/// Gives the place that a pixel is read from.
std::function<std::vector<float>(const RecordedPlan&)> read_at(int x, int y) {
  return [x, y](const RecordedPlan& plan) {
    std::vector<float> out{static_cast<float>(x), static_cast<float>(y)};
    if (plan.steps().empty()) return out;
    const auto& step = std::get<DisplacementStep>(plan.steps()[0]);
    const ImageView& v = step.grid.view();
    const std::int64_t i = std::min<std::int64_t>(x / step.spacing, v.width - 2),
                       j = std::min<std::int64_t>(y / step.spacing, v.height - 2);
    const float u = static_cast<float>(x - i * step.spacing) / static_cast<float>(step.spacing),
                w = static_cast<float>(y - j * step.spacing) / static_cast<float>(step.spacing);
    for (int c = 0; c < 2; ++c) {
      const auto at = [&](std::int64_t a, std::int64_t b) { return v.row<float>(j + b)[2 * (i + a) + c]; };
      out[static_cast<std::size_t>(c)] +=
          (1 - w) * ((1 - u) * at(0, 0) + u * at(1, 0)) + w * ((1 - u) * at(0, 1) + u * at(1, 1));
    }
    return out;
  };
}

TEST_F(DrawParity, Maps) {
  constexpr Size size{40, 40};
  add_draws({{"class", "GridDistortion"}, {"observe", "map"}, {"at", {29, 17}}}, "grid_distortion",
            {{"compat", "2.0.8", {}}}, size, 10000, read_at(29, 17));
  add_draws({{"class", "OpticalDistortion"}, {"init", {{"distort_limit", 1.0}}}, {"observe", "map"}, {"at", {35, 3}}},
            "optical_distortion", {{"distort", 1, {}}, {"compat", "2.0.8", {}}}, size, 10000, read_at(35, 3));
  expect_alike(0.1);
}

// Corners are drawn from a normal distribution: the farthest of 10,000 lie as far as chance has them.
TEST_F(DrawParity, Corners) {
  constexpr Size size{40, 40};
  add_draws({{"class", "Perspective"}, {"init", {{"scale", {0.05, 0.1}}}}, {"observe", "place"}, {"at", {14, 22}}},
            "perspective", {}, size, 10000, read_at(14, 22));
  expect_alike(0.35);
}

TEST_F(DrawParity, Matrices) {
  constexpr Size size{180, 120};
  const auto matrix = [](const RecordedPlan& plan) {
    if (plan.steps().empty()) return std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0, 1};
    const auto& m = std::get<AffineStep>(plan.steps()[0]).forward.m;
    std::vector<float> out(m.begin(), m.end());
    out.insert(out.end(), {0, 0, 1});
    return out;
  };
  add_draws({{"class", "Affine"},
             {"init",
              {{"scale", {0.8, 1.3}},
               {"rotate", {-40.0, 70.0}},
               {"shear", {-20.0, 25.0}},
               {"translate_percent", {-0.1, 0.2}}}},
             {"observe", "matrix"}},
            "affine",
            {{"scale", Value::Array{0.8, 1.3}, {}},
             {"rotate", Value::Array{-40, 70}, {}},
             {"shear_x", Value::Array{-20, 25}, {}},
             {"shear_y", Value::Array{-20, 25}, {}},
             {"translate_x", Value::Array{-0.1, 0.2}, {}},
             {"translate_y", Value::Array{-0.1, 0.2}, {}}},
            size, 10000, matrix);
  add_draws({{"class", "ShiftScaleRotate"},
             {"init", {{"shift_limit", 0.1}, {"scale_limit", 0.2}, {"rotate_limit", 60}}},
             {"observe", "matrix"}},
            "shift_scale_rotate", {{"scale", 0.2, {}}, {"rotate", 60, {}}, {"compat", "2.0.8", {}}}, size, 10000,
            matrix);
  const auto turns = [](const RecordedPlan& plan) {
    if (plan.steps().empty()) return std::vector<float>{0};
    if (std::holds_alternative<FlipStep>(plan.steps()[0])) return std::vector<float>{2};
    return std::vector<float>{std::get<AffineStep>(plan.steps()[0]).forward.m[1] > 0 ? 1.0F : 3.0F};
  };
  add_draws({{"class", "RandomRotate90"}, {"observe", "factor"}}, "rotate90", {}, size, 10000, turns);
  const auto part = [&](const RecordedPlan& plan) {
    if (plan.steps().empty()) return std::vector<float>{0, 0, float(size.width), float(size.height)};
    const auto& m = std::get<AffineStep>(plan.steps()[0]).forward.m;
    const double x0 = 0.5 - (0.5 + m[2]) / m[0], y0 = 0.5 - (0.5 + m[5]) / m[4];
    const auto whole = [](double v) { return static_cast<float>(std::lround(v)); };
    return std::vector<float>{whole(x0), whole(y0), whole(x0 + double(size.width) / m[0]),
                              whole(y0 + double(size.height) / m[4])};
  };
  add_draws({{"class", "RandomResizedCrop"},
             {"init", {{"size", {size.height, size.width}}, {"scale", {0.5, 1.0}}}},
             {"observe", "crop_coords"}},
            "crop", {}, size, 10000, part);
  expect_alike(0.1);
}

}  // namespace
}  // namespace nephron::host
