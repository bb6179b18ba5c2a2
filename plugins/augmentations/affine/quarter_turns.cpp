#include <array>

#include <nephron/augmentation.hpp>

namespace {

/// A map of whole turns and mirrors about the centre: exact. Where the picture is no square, its middle is turned, by
/// whole pixels, and its mirror image lies beside it.
void add_exact(nephron::Size size, const std::array<int, 4>& turn, nephron::Plan& plan) {
  const auto half = [](std::int64_t centre) { return static_cast<double>(centre / 2); };
  const std::int64_t x = size.width - 1, y = size.height - 1;  // twice the centre
  plan.affine({{static_cast<double>(turn[0]), static_cast<double>(turn[1]), half(x - turn[0] * x - turn[1] * y),
                static_cast<double>(turn[2]), static_cast<double>(turn[3]), half(y - turn[2] * x - turn[3] * y)}},
              nephron::Border::reflect_101);
}

}  // namespace

/// Exchanges rows and columns.
class Transpose final : public nephron::Augmentation {
 public:
  void draw(const nephron::SampleInfo& sample, nephron::Rng&, nephron::Plan& plan) const override {
    add_exact(sample.size, {0, 1, 1, 0}, plan);
  }
};

/// Turns by 0, 90, 180 or 270 degrees counter-clockwise.
class Rotate90 final : public nephron::Augmentation {
 public:
  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const std::int64_t turns = rng.integer(0, 3);
    if (turns == 2) plan.flip(true, true);
    else if (turns != 0) add_exact(sample.size, turns == 1 ? std::array{0, 1, -1, 0} : std::array{0, -1, 1, 0}, plan);
  }
};

NEPHRON_COMPONENT(nephron::Augmentation, Transpose, "transpose",
                  "Exchanges rows and columns, as Albumentations' Transpose")
NEPHRON_COMPONENT(nephron::Augmentation, Rotate90, "rotate90",
                  "Turns by any number of right angles, as Albumentations' RandomRotate90")
