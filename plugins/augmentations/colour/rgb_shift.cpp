#include <algorithm>
#include <cmath>

#include <nephron/augmentation_params.hpp>

struct RgbShiftParams {
  double red = 20;
  double green = 20;
  double blue = 20;

  static void describe(nephron::Schema<RgbShiftParams>& s) {
    using P = RgbShiftParams;
    const auto limit = [&](const char* name, double P::*member) {
      s.field(name, member, std::string("up to this much is added to ") + name + " or taken away")
          .range(0, 255)
          .unit("grey levels");
    };
    limit("red", &P::red);
    limit("green", &P::green);
    limit("blue", &P::blue);
  }
};

class RgbShift final : public nephron::Augmentation {
 public:
  explicit RgbShift(const RgbShiftParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    std::array<std::array<std::uint8_t, 256>, 3> tables{};
    const std::array limits{params_.red, params_.green, params_.blue};
    for (std::size_t c = 0; c < 3; ++c) {
      const auto shift = static_cast<int>(rng.uniform(-limits[c], limits[c]));  // whole levels
      for (int v = 0; v < 256; ++v)
        tables[c][static_cast<std::size_t>(v)] = static_cast<std::uint8_t>(std::clamp(v + shift, 0, 255));
    }
    plan.lookup(tables);
  }

 private:
  RgbShiftParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, RgbShift, "rgb_shift",
                  "Adds to each channel by itself, as Albumentations' RGBShift")
