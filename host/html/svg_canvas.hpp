#pragma once

#include <string>

#include <host/html/canvas.hpp>

namespace nephron::host {

/// Draws as SVG elements.
class SvgCanvas final : public Canvas {
 public:
  enum class Colours : std::uint8_t {
    of_page,  ///< the variables of a page's style, which follow light and dark
    written,  ///< for a file of its own, on white
  };
  explicit SvgCanvas(Colours colours) : colours_(colours) {}

  void line(std::span<const Point> points, const Stroke& stroke) override;
  void area(std::span<const Point> corners, Paint paint, double opacity) override;
  void dot(Point middle, double radius, Paint paint, std::string_view told) override;
  void text(Point at, std::string_view text, const Lettering& lettering) override;
  double width_of(std::string_view text, const Lettering& lettering) const override;

  /// Elements without an <svg> around them.
  const std::string& elements() const noexcept { return out_; }

 private:
  std::string colour(Paint paint) const;
  Colours colours_;
  std::string out_;
};

}  // namespace nephron::host
