#include <nephron/geometry.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <nephron/error.hpp>

namespace nephron {

Region Region::clipped(const Region& other) const noexcept {
  const std::int64_t x0 = std::max(x, other.x);
  const std::int64_t y0 = std::max(y, other.y);
  const std::int64_t x1 = std::min(x + width, other.x + other.width);
  const std::int64_t y1 = std::min(y + height, other.y + other.height);
  if (x1 <= x0 || y1 <= y0) return {};
  return {x0, y0, x1 - x0, y1 - y0};
}

Affine Affine::translation(double dx, double dy) noexcept { return {{1, 0, dx, 0, 1, dy}}; }
Affine Affine::scaling(double sx, double sy) noexcept { return {{sx, 0, 0, 0, sy, 0}}; }

Affine Affine::rotation(double degrees) noexcept {
  const double a = degrees * std::numbers::pi / 180;
  return {{std::cos(a), std::sin(a), 0, -std::sin(a), std::cos(a), 0}};
}

Affine Affine::about(Point centre) const noexcept {
  return translation(-centre.x, -centre.y).then(*this).then(translation(centre.x, centre.y));
}

Affine Affine::then(const Affine& b) const noexcept {
  const auto& n = b.m;
  return {{n[0] * m[0] + n[1] * m[3], n[0] * m[1] + n[1] * m[4], n[0] * m[2] + n[1] * m[5] + n[2],
           n[3] * m[0] + n[4] * m[3], n[3] * m[1] + n[4] * m[4], n[3] * m[2] + n[4] * m[5] + n[5]}};
}

Point Affine::operator()(Point p) const noexcept {
  return {m[0] * p.x + m[1] * p.y + m[2], m[3] * p.x + m[4] * p.y + m[5]};
}

Affine Affine::inverse() const {
  const double det = m[0] * m[4] - m[1] * m[3];
  if (!std::isfinite(det) || std::abs(det) < 1e-12) throw Error("an affine map with determinant 0 has no inverse");
  const double a = m[4] / det, b = -m[1] / det, c = -m[3] / det, d = m[0] / det;
  return {{a, b, -(a * m[2] + b * m[5]), c, d, -(c * m[2] + d * m[5])}};
}

}  // namespace nephron
