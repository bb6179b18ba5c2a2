#pragma once

#include <opencv2/core.hpp>

#include <nephron/image.hpp>

#include <host/html/canvas.hpp>

namespace nephron::host {

/// Draws as pixels on white: larger than it is shown, and reduced by means, so that lines and letters have smooth
/// edges. Letters are ASCII alone; another one is drawn as '?'.
class RasterCanvas final : public Canvas {
 public:
  /// `size` in units of the chart; a unit is `scale` pixels of the picture.
  RasterCanvas(Point size, double scale);

  void line(std::span<const Point> points, const Stroke& stroke) override;
  void area(std::span<const Point> corners, Paint paint, double opacity) override;
  void dot(Point middle, double radius, Paint paint, std::string_view told) override;
  void text(Point at, std::string_view text, const Lettering& lettering) override;
  double width_of(std::string_view text, const Lettering& lettering) const override;

  Image picture() const;

 private:
  cv::Point fine(Point p) const;  ///< in 1/16 of a drawn pixel
  /// Draws `shape` in a colour; where it is not opaque, what lies below shines through once.
  template <class Shape>
  void draw(Paint paint, double opacity, const Shape& shape);

  double scale_;  ///< drawn pixels a unit
  Size size_;     ///< of the picture
  cv::Mat pixels_;
};

}  // namespace nephron::host
