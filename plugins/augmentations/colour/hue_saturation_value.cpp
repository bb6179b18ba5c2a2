#include <cmath>

#include <nephron/augmentation_params.hpp>
#include <nephron/image_cv.hpp>

#include "colour_cube.hpp"
#include "hsv_tables.hpp"

struct HueSaturationValueParams {
  double hue = 20;
  double saturation = 30;
  double value = 20;
  bool exact = false;

  static void describe(nephron::Schema<HueSaturationValueParams>& s) {
    using P = HueSaturationValueParams;
    s.field("hue", &P::hue, "largest turn of the hue to either side, in steps of 2 degrees").range(0, 90);
    s.field("saturation", &P::saturation, "largest change of the saturation to either side, of 255").range(0, 255);
    s.field("value", &P::value, "largest change of the value to either side, of 255").range(0, 255);
    s.field(
        "exact", &P::exact,
        "false: one step of colours, joined with its neighbours; true: Albumentations' whole numbers, pixel by pixel");
  }
};

class HueSaturationValue final : public nephron::Augmentation {
 public:
  explicit HueSaturationValue(const HueSaturationValueParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    const double hue = rng.uniform(-params_.hue, params_.hue);
    // Truncated, as Albumentations does; a hue is truncated after it was turned.
    const auto saturation = static_cast<int>(rng.uniform(-params_.saturation, params_.saturation));
    const auto value = static_cast<int>(rng.uniform(-params_.value, params_.value));
    if (params_.exact) return add_exact(hue, saturation, value, plan);
    const auto sixths = static_cast<float>(std::floor(hue) / 30);
    add_cube(
        [=](ColourRow& row) {
          shift_hsv(row, sixths, static_cast<float>(saturation) / 255, static_cast<float>(value));
        },
        plan);
  }

 private:
  static void add_exact(double hue, int saturation, int value, nephron::Plan& plan) {
    std::array<Table, 3> tables{hue_table(hue), added(saturation), added(value)};
    tables[1][0] = 0;  // what is grey stays grey
    plan.pixels([tables](const nephron::SampleView& sample) {
      cv::Mat image = nephron::as_mat(sample.image);
      through_hsv_tables(image, tables);
    });
  }
  static Table added(int shift) {
    Table out{};
    for (int i = 0; i < 256; ++i)
      out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(std::clamp(i + shift, 0, 255));
    return out;
  }

  HueSaturationValueParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, HueSaturationValue, "hue_saturation_value",
                  "Turns hues, adds to saturation and value, as Albumentations' HueSaturationValue")
