#include <algorithm>
#include <cmath>

#include <nephron/augmentation_params.hpp>

struct CropParams {
  std::array<double, 2> scale{0.5, 1};
  std::array<double, 2> ratio{0.75, 1.3333333333333333};

  static void describe(nephron::Schema<CropParams>& s) {
    using P = CropParams;
    s.field("scale", &P::scale, "smallest and largest area, as a share of the picture's").range(0.01, 1);
    s.field("ratio", &P::ratio, "smallest and largest width over height").range(0.1, 10);
  }
  void validate() const {
    nephron::require_order("scale", scale);
    nephron::require_order("ratio", ratio);
  }
};

/// A part of the picture, enlarged to its size.
class Crop final : public nephron::Augmentation {
 public:
  explicit Crop(const CropParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const nephron::Region part = drawn_part(sample.size, rng);
    const double sx = static_cast<double>(sample.size.width) / static_cast<double>(part.width),
                 sy = static_cast<double>(sample.size.height) / static_cast<double>(part.height);
    // Pixels are squares: their corners are enlarged, not their centres.
    plan.affine(nephron::Affine::translation(0.5 - static_cast<double>(part.x), 0.5 - static_cast<double>(part.y))
                    .then(nephron::Affine::scaling(sx, sy))
                    .then(nephron::Affine::translation(-0.5, -0.5)),
                nephron::Border::reflect_101);
  }

 private:
  // Ten trials; then the middle, as large as the ratio allows.
  nephron::Region drawn_part(nephron::Size size, nephron::Rng& rng) const {
    const auto area = static_cast<double>(size.area());
    for (int i = 0; i < 10; ++i) {
      const double part = nephron::drawn(params_.scale, rng) * area;
      const double ratio = std::exp(rng.uniform(std::log(params_.ratio[0]), std::log(params_.ratio[1])));
      const auto width = static_cast<std::int64_t>(std::nearbyint(std::sqrt(part * ratio))),
                 height = static_cast<std::int64_t>(std::nearbyint(std::sqrt(part / ratio)));
      if (width < 1 || height < 1 || width > size.width || height > size.height) continue;
      const std::int64_t y = rng.integer(0, size.height - height);
      return {rng.integer(0, size.width - width), y, width, height};
    }
    std::int64_t width = size.width, height = size.height;
    const double ratio = static_cast<double>(width) / static_cast<double>(height);
    const auto share = [](std::int64_t side, double of) {
      return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::nearbyint(static_cast<double>(side) * of)));
    };
    if (ratio < params_.ratio[0]) height = share(width, 1 / params_.ratio[0]);
    else if (ratio > params_.ratio[1]) width = share(height, params_.ratio[1]);
    return {(size.width - width) / 2, (size.height - height) / 2, width, height};
  }

  CropParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, Crop, "crop",
                  "Enlarges a part of any place, size and ratio, as Albumentations' RandomResizedCrop")
