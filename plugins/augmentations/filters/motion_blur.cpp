#include <algorithm>
#include <cmath>

#include <nephron/augmentation_params.hpp>

struct MotionBlurParams {
  std::array<int, 2> limit{3, 5};
  std::array<double, 2> angle{0, 360};
  std::array<double, 2> direction{-1, 1};
  bool shifted = true;
  std::string compat = "2021";

  static void describe(nephron::Schema<MotionBlurParams>& s) {
    using P = MotionBlurParams;
    s.field("limit", &P::limit, "smallest and largest side of the kernel; odd").range(3, 255).unit("px");
    s.field("angle", &P::angle, "smallest and largest angle of the line; only with compat = \"2.0.8\"")
        .range(0, 360)
        .unit("degrees");
    s.field("direction", &P::direction, "how far the line lies to one side; only with compat = \"2.0.8\"").range(-1, 1);
    s.field("shifted", &P::shifted, "the line need not go through the middle; only with compat = \"2.0.8\"");
    s.field("compat", &P::compat, "2021: a line between any two points; 2.0.8: one of an angle and a direction")
        .choices({"2021", "2.0.8"});
  }
  void validate() const {
    nephron::require_odd_order("limit", limit);
    nephron::require_order("angle", angle);
    nephron::require_order("direction", direction);
  }
};

namespace {

/// A square of pixels, all of which weigh the same in the end.
class Kernel {
 public:
  explicit Kernel(int side) : side_(side), set_(static_cast<std::size_t>(side * side)) {}

  void set(int x, int y) { set_[static_cast<std::size_t>(y * side_ + x)] = true; }

  /// The pixels that OpenCV's line sets: from the point on the left, one a step along the longer axis (Bresenham).
  void line(int x0, int y0, int x1, int y1) {
    if (x1 < x0) std::swap(x0, x1), std::swap(y0, y1);
    const int across = x1 - x0, down = std::abs(y1 - y0), way = y1 >= y0 ? 1 : -1;
    const bool steep = down > across;
    const int longer = steep ? down : across, shorter = steep ? across : down;
    int error = longer - 2 * shorter;
    for (int i = 0; i <= longer; ++i) {
      set(x0, y0);
      const bool both = error < 0;
      error += (both ? 2 * longer : 0) - 2 * shorter;
      if (!steep || both) ++x0;
      if (steep || both) y0 += way;
    }
  }

  nephron::Image image() const {
    nephron::Image out({side_, side_}, 1, nephron::Depth::f32);
    const float weight = 1.0F / static_cast<float>(std::count(set_.begin(), set_.end(), true));
    for (int y = 0; y < side_; ++y)
      for (int x = 0; x < side_; ++x)
        out.view().row<float>(y)[x] = set_[static_cast<std::size_t>(y * side_ + x)] ? weight : 0;
    return out;
  }

 private:
  int side_;
  std::vector<bool> set_;
};

}  // namespace

class MotionBlur final : public nephron::Augmentation {
 public:
  explicit MotionBlur(const MotionBlurParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    const int side = nephron::drawn_odd(params_.limit, rng);
    Kernel kernel(side);
    if (params_.compat == "2021") between_points(kernel, side, rng);
    else along_angle(kernel, side, rng);
    plan.filter(kernel.image());
  }

 private:
  // Two points that are not the same.
  static void between_points(Kernel& kernel, int side, nephron::Rng& rng) {
    const auto place = [&](int n) { return static_cast<int>(rng.integer(0, n - 1)); };
    const int x0 = place(side), x1 = place(side), y0 = place(side);
    int y1 = place(x0 == x1 ? side - 1 : side);
    if (x0 == x1 && y1 >= y0) ++y1;
    kernel.line(x0, y0, x1, y1);
  }

  // As many points as the side has, evenly along a line about the middle, rounded to pixels.
  void along_angle(Kernel& kernel, int side, nephron::Rng& rng) const {
    const double angle = nephron::drawn(params_.angle, rng) * (M_PI / 180);
    const double direction = nephron::drawn(params_.direction, rng);
    const int half = side / 2;
    const double start = -half * (direction > 0 ? 1 - direction : 1), end = half * (direction < 0 ? 1 + direction : 1);
    double shift_x = 0, shift_y = 0;
    if (params_.shifted) {
      shift_x = rng.uniform(-1, 1) * half / 2;
      shift_y = rng.uniform(-1, 1) * half / 2;
    }
    const auto pixel = [&](double v) {
      return static_cast<int>(std::clamp(std::nearbyint(v), 0.0, static_cast<double>(side - 1)));
    };
    for (int i = 0; i < side; ++i) {
      const double t = i == side - 1 ? end : start + i * ((end - start) / (side - 1));
      kernel.set(pixel(half + std::cos(angle) * t + shift_x), pixel(half + std::sin(angle) * t + shift_y));
    }
  }

  MotionBlurParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, MotionBlur, "motion_blur", "Blurs along a line, as Albumentations' MotionBlur")
