#include <algorithm>

#include <nephron/augmentation.hpp>

struct BrightnessContrastParams {
  double brightness = 0.1;
  double contrast = 0.1;

  static void describe(nephron::Schema<BrightnessContrastParams>& s) {
    using P = BrightnessContrastParams;
    s.field("brightness", &P::brightness, "up to this share of 255 is added or taken away").range(0, 1);
    s.field("contrast", &P::contrast, "values are multiplied by 1 - contrast to 1 + contrast").range(0, 1);
  }
};

class BrightnessContrast final : public nephron::Augmentation {
 public:
  explicit BrightnessContrast(const BrightnessContrastParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    const auto alpha = static_cast<float>(1 + rng.uniform(-params_.contrast, params_.contrast));
    const auto beta = static_cast<float>(rng.uniform(-params_.brightness, params_.brightness) * 255);
    std::array<std::uint8_t, 256> table{};
    // Single precision and truncation, not rounding: bit for bit as Albumentations.
    for (std::size_t i = 0; i < table.size(); ++i) {
      const float scaled = static_cast<float>(i) * alpha;
      table[i] = static_cast<std::uint8_t>(std::clamp(scaled + beta, 0.0F, 255.0F));
    }
    plan.lookup({table, table, table});
  }

 private:
  BrightnessContrastParams params_;
};

NEPHRON_PLUGIN("brightness_contrast", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, BrightnessContrast, "brightness_contrast",
                  "Scales and shifts grey values, as Albumentations' RandomBrightnessContrast")
