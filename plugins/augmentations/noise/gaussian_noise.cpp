#include <algorithm>
#include <cmath>

#include <nephron/augmentation_params.hpp>

#include "noise_table.hpp"

struct GaussianNoiseParams {
  std::array<double, 2> variance{10, 50};
  std::array<double, 2> deviation{0.2, 0.44};
  double mean = 0;
  bool per_channel = true;
  std::string compat = "2021";

  static void describe(nephron::Schema<GaussianNoiseParams>& s) {
    using P = GaussianNoiseParams;
    s.field("variance", &P::variance,
            "smallest and largest variance, in grey levels squared; only with compat = \"2021\"")
        .range(0, 65025);
    s.field("deviation", &P::deviation, "smallest and largest deviation, of 255; only with compat = \"2.0.8\"")
        .range(0, 1);
    s.field("mean", &P::mean, "what is added in the mean").range(-255, 255).unit("grey levels");
    s.field("per_channel", &P::per_channel, "each channel has noise of its own");
    s.field("compat", &P::compat, "2021: the variance is drawn; 2.0.8: the deviation").choices({"2021", "2.0.8"});
  }
  void validate() const {
    nephron::require_order("variance", variance);
    nephron::require_order("deviation", deviation);
  }
};

namespace {

std::uint8_t grey_level(float v) { return static_cast<std::uint8_t>(std::clamp(v, 0.0F, 255.0F) + 0.5F); }

void add_noise(const nephron::ImageView& image, float mean, float deviation, bool per_channel, nephron::Rng rng) {
  const auto values = static_cast<std::size_t>(3 * image.width);
  for (std::int64_t y = 0; y < image.height; ++y) {
    auto* pixel = image.row<std::uint8_t>(y);
    if (per_channel) {
      normal_table().draw(values, rng, [&](float noise) {
        *pixel = grey_level(static_cast<float>(*pixel) + mean + deviation * noise);
        ++pixel;
      });
    } else {
      normal_table().draw(values / 3, rng, [&](float noise) {
        for (int c = 0; c < 3; ++c, ++pixel) *pixel = grey_level(static_cast<float>(*pixel) + mean + deviation * noise);
      });
    }
  }
}

}  // namespace

class GaussianNoise final : public nephron::Augmentation {
 public:
  explicit GaussianNoise(const GaussianNoiseParams& params) : params_(params) { normal_table(); }

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    const double deviation = params_.compat == "2021" ? std::sqrt(nephron::drawn(params_.variance, rng))
                                                      : 255 * nephron::drawn(params_.deviation, rng);
    plan.pixels([mean = static_cast<float>(params_.mean), deviation = static_cast<float>(deviation),
                 per_channel = params_.per_channel, noise = rng.fork("noise")](const nephron::SampleView& sample) {
      add_noise(sample.image, mean, deviation, per_channel, noise);
    });
  }

 private:
  GaussianNoiseParams params_;
};

NEPHRON_PLUGIN("noise", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, GaussianNoise, "gaussian_noise",
                  "Adds normal noise, as Albumentations' GaussNoise")
