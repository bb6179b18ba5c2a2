#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/geometry.hpp>

namespace nephron::host {

/// What is drawn in a colour; which one that is, the canvas knows: a page has another ground at night.
struct Paint {
  enum class Of : std::uint8_t { ground, ink, soft, axis, grid, series };
  Of of = Of::ink;
  int number = 0;  ///< of a series
};

/// Colours of series: of Okabe and Ito (2008), which colour-blind people tell apart, those first that stand out from
/// white. After the last one the first follows.
inline constexpr int series_colours = 6;

/// Dashes of a series beyond its colour, as the viewer has them: on, off, ... in pixels; empty: a whole line.
std::vector<double> dashes_of(int series);

struct Stroke {
  Paint paint;
  double width = 1;
  double opacity = 1;
  std::vector<double> dashes{};
};

struct Lettering {
  enum class Anchor : std::uint8_t { start, middle, end };
  Paint paint{Paint::Of::soft};
  double size = 12;
  Anchor anchor = Anchor::start;
  bool bold = false;
  bool upright = false;  ///< from bottom to top
};

/// Where a chart is drawn: x to the right, y down.
class Canvas {
 public:
  virtual ~Canvas() = default;
  virtual void line(std::span<const Point> points, const Stroke& stroke) = 0;
  virtual void area(std::span<const Point> corners, Paint paint, double opacity) = 0;
  /// `told`: what pointing at it says, where a canvas can.
  virtual void dot(Point middle, double radius, Paint paint, std::string_view told) = 0;
  virtual void text(Point at, std::string_view text, const Lettering& lettering) = 0;
  virtual double width_of(std::string_view text, const Lettering& lettering) const = 0;
};

}  // namespace nephron::host
