#include <algorithm>
#include <cmath>

#include <nephron/augmentation_params.hpp>

#include "map_grid.hpp"

struct PerspectiveParams {
  std::array<double, 2> scale{0.05, 0.1};
  std::string border = "reflect_101";

  static void describe(nephron::Schema<PerspectiveParams>& s) {
    using P = PerspectiveParams;
    s.field("scale", &P::scale, "smallest and largest deviation of the corners, as a share of the side").range(0, 0.3);
    nephron::border_field(s, &P::border);
  }
  void validate() const { nephron::require_order("scale", scale); }
};

namespace {

using Corners = std::array<nephron::Point, 4>;  // top left, top right, bottom right, bottom left

double distance(nephron::Point a, nephron::Point b) { return std::hypot(a.x - b.x, a.y - b.y); }

/// Four points as the corners of a quadrilateral: the two on the left first.
Corners in_order(Corners p) {
  std::stable_sort(p.begin(), p.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  if (p[0].y >= p[1].y) std::swap(p[0], p[1]);
  if (p[2].y >= p[3].y) std::swap(p[2], p[3]);
  return {p[0], p[2], p[3], p[1]};
}

/// The projective map that takes the unit square's corners (0, 0), (1, 0), (1, 1), (0, 1) to four points (Heckbert
/// 1989, Fundamentals of texture mapping and image warping, 2.2.3).
struct Homography {
  double a, b, c, d, e, f, g, h;

  explicit Homography(const Corners& p) {
    const double dx1 = p[1].x - p[2].x, dx2 = p[3].x - p[2].x, dy1 = p[1].y - p[2].y, dy2 = p[3].y - p[2].y;
    const double sx = p[0].x - p[1].x + p[2].x - p[3].x, sy = p[0].y - p[1].y + p[2].y - p[3].y;
    const double determinant = dx1 * dy2 - dx2 * dy1;
    g = (sx * dy2 - dx2 * sy) / determinant;
    h = (dx1 * sy - sx * dy1) / determinant;
    a = p[1].x - p[0].x + g * p[1].x, b = p[3].x - p[0].x + h * p[3].x, c = p[0].x;
    d = p[1].y - p[0].y + g * p[1].y, e = p[3].y - p[0].y + h * p[3].y, f = p[0].y;
  }
  nephron::Point operator()(double u, double v) const {
    const double w = g * u + h * v + 1;
    return {(a * u + b * v + c) / w, (d * u + e * v + f) / w};
  }
};

}  // namespace

/// Four points near the corners become the corners.
class Perspective final : public nephron::Augmentation {
 public:
  explicit Perspective(const PerspectiveParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const auto width = static_cast<double>(sample.size.width), height = static_cast<double>(sample.size.height);
    const double scale = nephron::drawn(params_.scale, rng);
    const auto inset = [&] { return std::fmod(std::abs(scale * rng.normal()), 0.32); };
    Corners p;
    for (auto& point : p) point.x = inset(), point.y = inset();
    p[1].x = 1 - p[1].x, p[2] = {1 - p[2].x, 1 - p[2].y}, p[3].y = 1 - p[3].y;
    for (auto& point : p) point.x *= width, point.y *= height;
    p = in_order(p);
    // The quadrilateral is spread over the picture and then by as much again as its longer sides are short of the
    // picture's: what Albumentations' keep_size does.
    const double across = side(distance(p[1], p[0]), distance(p[2], p[3])),
                 down = side(distance(p[2], p[1]), distance(p[3], p[0]));
    const Homography from(p);
    add_map(
        sample.size,
        [&](double x, double y) { return from(x * across / (width * width), y * down / (height * height)); },
        nephron::border_of(params_.border), plan);
  }

 private:
  static double side(double one, double other) { return std::floor(std::max({one, other, 2.0})); }

  PerspectiveParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, Perspective, "perspective",
                  "Tilts the picture, as Albumentations' Perspective")
