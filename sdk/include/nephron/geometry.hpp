#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <nephron/export.hpp>

namespace nephron {

/// Closed, as every type of this header: plane geometry gains nothing.
struct Point {
  double x = 0;
  double y = 0;
};

/// Width and height in pixels of the level that the context states.
struct Size {
  std::int64_t width = 0;
  std::int64_t height = 0;
  bool operator==(const Size&) const = default;
  std::int64_t area() const noexcept { return width * height; }
  bool empty() const noexcept { return width <= 0 || height <= 0; }
};

/// Half-open rectangle of pixels: [x, x + width) by [y, y + height).
struct Region {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;
  bool operator==(const Region&) const = default;
  bool empty() const noexcept { return width <= 0 || height <= 0; }
  Size size() const noexcept { return {width, height}; }
  /// The part inside `other`; empty (0 x 0) when there is none.
  NEPHRON_API Region clipped(const Region& other) const noexcept;
};

/// First ring outer, the others holes; vertices in level-0 pixels, x then y; rings may be left unclosed.
using Polygon = std::vector<std::vector<Point>>;

/// Maps a pixel position (x, y) to (m0 x + m1 y + m2, m3 x + m4 y + m5).
struct Affine {
  std::array<double, 6> m{1, 0, 0, 0, 1, 0};

  static Affine identity() noexcept { return {}; }
  NEPHRON_API static Affine translation(double dx, double dy) noexcept;
  NEPHRON_API static Affine scaling(double sx, double sy) noexcept;
  /// Positive degrees turn counter-clockwise on the screen (y down), as OpenCV's getRotationMatrix2D.
  NEPHRON_API static Affine rotation(double degrees) noexcept;
  /// The same map about `centre` in place of the origin.
  NEPHRON_API Affine about(Point centre) const noexcept;
  /// First this, then `next`.
  NEPHRON_API Affine then(const Affine& next) const noexcept;
  NEPHRON_API Point operator()(Point p) const noexcept;
  /// Throws Error when the map cannot be turned back.
  NEPHRON_API Affine inverse() const;
};

}  // namespace nephron
