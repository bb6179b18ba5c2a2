#include <host/feed/affine_places.hpp>

#include <algorithm>
#include <cmath>

namespace nephron::host {

namespace {

/// A contribution to a position in 1/1024 px. Two of them and their rounding fit into 32 bits.
std::int32_t fixed(double v) {
  constexpr double most = (1 << 30) - 1024;
  return static_cast<std::int32_t>(std::lrint(std::clamp(v * 1024, -most, most)));
}

}  // namespace

void fill_affine_places(const AffineStep& step, const Region& to, Place* columns, Place* rows) {
  const std::array<double, 6> m = turned_back(step.forward.m);
  for (std::int64_t x = to.x; x < to.x + to.width; ++x)
    columns[x] = {fixed(m[0] * static_cast<double>(x)), fixed(m[3] * static_cast<double>(x))};
  for (std::int64_t y = to.y; y < to.y + to.height; ++y)
    rows[y] = {fixed(m[1] * static_cast<double>(y) + m[2]), fixed(m[4] * static_cast<double>(y) + m[5])};
}

}  // namespace nephron::host
