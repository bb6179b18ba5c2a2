#include <algorithm>
#include <array>
#include <cmath>

#include <nephron/augmentation_params.hpp>
#include <nephron/image_cv.hpp>

#include "colour_cube.hpp"
#include "hsv_tables.hpp"

struct ColorJitterParams {
  double brightness = 0.2;
  double contrast = 0.2;
  double saturation = 0.2;
  double hue = 0.05;
  bool exact = false;
  double grey = 147;

  static void describe(nephron::Schema<ColorJitterParams>& s) {
    using P = ColorJitterParams;
    s.field("brightness", &P::brightness, "values are multiplied by 1 - brightness to 1 + brightness").range(0, 1);
    s.field("contrast", &P::contrast, "differences from the mean are multiplied by 1 - contrast to 1 + contrast")
        .range(0, 1);
    s.field("saturation", &P::saturation, "differences from grey are multiplied by 1 - saturation to 1 + saturation")
        .range(0, 1);
    s.field("hue", &P::hue, "largest turn of the hue to either side, of the whole circle").range(0, 0.5);
    s.field(
        "exact", &P::exact,
        "false: steps of colours, joined with their neighbours; true: Albumentations' whole numbers, pixel by pixel");
    s.field("grey", &P::grey, "the mean that contrast is about; with exact = true, the picture's own").range(0, 255);
  }
};

namespace {

enum class Change : std::uint8_t { brightness, contrast, saturation, hue };

/// What was drawn: a number for each change, and their order.
struct Jitter {
  std::array<double, 4> factors;  ///< of the hue: the turn
  std::array<Change, 4> order{Change::brightness, Change::contrast, Change::saturation, Change::hue};
  double of(Change c) const { return factors[static_cast<std::size_t>(c)]; }
};

Table line(double factor, double offset) {
  Table out{};
  for (std::size_t i = 0; i < out.size(); ++i)  // truncated, as Albumentations does
    out[i] = static_cast<std::uint8_t>(
        std::clamp(static_cast<float>(i) * static_cast<float>(factor) + static_cast<float>(offset), 0.0F, 255.0F));
  return out;
}

void change_row(ColourRow& row, Change change, float by, float grey) {
  constexpr float truncation = 0.5F;  // what Albumentations' tables lose in the mean
  const float less = by == 1 ? 0 : truncation;
  const auto from = [=](Colour c, float middle, float offset) {
    const auto channel = [=](float v) { return clipped(middle + by * (v - middle) - offset, 255); };
    return Colour{channel(c.r), channel(c.g), channel(c.b)};
  };
  switch (change) {
    case Change::brightness:
      return row.each([=](Colour c) { return from(c, 0, less); });
    case Change::contrast:
      return row.each([=](Colour c) { return from(c, grey, less); });
    case Change::saturation:
      return row.each([=](Colour c) { return from(c, c.grey(), 0); });
    case Change::hue:  // its hues are whole steps of 2 degrees
      if (by != 0) shift_hsv(row, std::floor(180 * by) / 30, 0, 0);
  }
}

void change_pixels(cv::Mat& image, Change change, double by) {
  const auto through = [&](const Table& table) {
    cv::LUT(image, cv::Mat(1, 256, CV_8U, const_cast<std::uint8_t*>(table.data())), image);
  };
  if (change == Change::brightness) return through(line(by, 0));
  if (change == Change::hue) {
    Table same{};
    for (std::size_t i = 0; i < same.size(); ++i) same[i] = static_cast<std::uint8_t>(i);
    return through_hsv_tables(image, {hue_table(180 * by), same, same});
  }
  cv::Mat grey;
  cv::cvtColor(image, grey, cv::COLOR_RGB2GRAY);
  if (change == Change::contrast) return through(line(by, cv::mean(grey)[0] * (1 - by)));
  cv::cvtColor(grey, grey, cv::COLOR_GRAY2RGB);
  cv::addWeighted(image, by, grey, 1 - by, 0, image);
}

}  // namespace

class ColorJitter final : public nephron::Augmentation {
 public:
  explicit ColorJitter(const ColorJitterParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    Jitter jitter{{rng.uniform(1 - params_.brightness, 1 + params_.brightness),
                   rng.uniform(1 - params_.contrast, 1 + params_.contrast),
                   rng.uniform(1 - params_.saturation, 1 + params_.saturation),
                   rng.uniform(-params_.hue, params_.hue)}};
    for (std::size_t i = 3; i > 0; --i)
      std::swap(jitter.order[i], jitter.order[static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(i)))]);
    if (params_.exact) return add_exact(jitter, plan);
    if (params_.hue > 0) return add_as_cube(jitter, plan);
    for (const Change change : jitter.order) add(change, jitter.of(change), plan);
  }

 private:
  static void add_exact(const Jitter& jitter, nephron::Plan& plan) {
    plan.pixels([jitter](const nephron::SampleView& sample) {
      cv::Mat image = nephron::as_mat(sample.image);
      for (const Change change : jitter.order)
        if (jitter.of(change) != (change == Change::hue ? 0 : 1)) change_pixels(image, change, jitter.of(change));
    });
  }

  void add_as_cube(const Jitter& jitter, nephron::Plan& plan) const {
    add_cube(
        [&](ColourRow& row) {
          for (const Change change : jitter.order)
            change_row(row, change, static_cast<float>(jitter.of(change)), static_cast<float>(params_.grey));
        },
        plan);
  }

  void add(Change change, double by, nephron::Plan& plan) const {
    if (change == Change::hue) return;
    if (change == Change::saturation) {
      const auto f = static_cast<float>(by), r = 0.299F * (1 - f), g = 0.587F * (1 - f), b = 0.114F * (1 - f);
      return plan.colour_matrix({f + r, g, b, 0, r, f + g, b, 0, r, g, f + b, 0});
    }
    const Table table = line(by, change == Change::contrast ? params_.grey * (1 - by) : 0);
    plan.lookup({table, table, table});
  }

  ColorJitterParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, ColorJitter, "color_jitter",
                  "Brightness, contrast, saturation and hue in any order, as Albumentations' ColorJitter")
