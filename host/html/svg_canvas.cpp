#include <host/html/svg_canvas.hpp>

#include <algorithm>
#include <cstdio>

#include <host/html/escaped.hpp>
#include <host/html/palette.hpp>

namespace nephron::host {

namespace {

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", v);
  std::string out(text);
  if (out.ends_with(".0")) out.resize(out.size() - 2);
  return out == "-0" ? "0" : out;
}

std::string share(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", v);
  return text;
}

std::string list(std::span<const Point> points) {
  std::string out;
  for (const Point& p : points) out += (out.empty() ? "" : " ") + number(p.x) + "," + number(p.y);
  return out;
}

/// Letters, not bytes.
std::size_t length_of(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string SvgCanvas::colour(Paint paint) const {
  if (colours_ == Colours::of_page) switch (paint.of) {
      case Paint::Of::ground:
        return "var(--card)";
      case Paint::Of::ink:
        return "var(--ink)";
      case Paint::Of::soft:
        return "var(--soft)";
      case Paint::Of::axis:
        return "var(--line)";
      case Paint::Of::grid:
        return "var(--grid)";
      case Paint::Of::series:
        return "var(--s" + std::to_string(paint.number % series_colours) + ")";
    }
  const Rgb rgb = rgb_of(paint);
  char text[16];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
  return text;
}

void SvgCanvas::line(std::span<const Point> points, const Stroke& stroke) {
  if (points.empty()) return;
  out_ += "<polyline fill=\"none\" stroke=\"" + colour(stroke.paint) + "\"";
  if (stroke.width != 1) out_ += " stroke-width=\"" + number(stroke.width) + "\"";
  if (stroke.opacity < 1) out_ += " stroke-opacity=\"" + share(stroke.opacity) + "\"";
  if (!stroke.dashes.empty()) {
    std::string dashes;
    for (const double d : stroke.dashes) dashes += (dashes.empty() ? "" : " ") + number(d);
    out_ += " stroke-dasharray=\"" + dashes + "\"";
  }
  out_ += " stroke-linejoin=\"round\" points=\"" + list(points) + "\"/>\n";
}

void SvgCanvas::area(std::span<const Point> corners, Paint paint, double opacity) {
  if (corners.empty()) return;
  out_ += "<polygon fill=\"" + colour(paint) + "\"" +
          (opacity < 1 ? " fill-opacity=\"" + share(opacity) + "\"" : std::string()) + " points=\"" + list(corners) +
          "\"/>\n";
}

void SvgCanvas::dot(Point middle, double radius, Paint paint, std::string_view told) {
  out_ += "<circle cx=\"" + number(middle.x) + "\" cy=\"" + number(middle.y) + "\" r=\"" + number(radius) +
          "\" fill=\"" + colour(paint) + "\"" +
          (told.empty() ? "/>\n" : "><title>" + escaped(told) + "</title></circle>\n");
}

void SvgCanvas::text(Point at, std::string_view text, const Lettering& lettering) {
  out_ += "<text x=\"" + number(at.x) + "\" y=\"" + number(at.y) + "\" fill=\"" + colour(lettering.paint) +
          "\" font-size=\"" + number(lettering.size) + "\"";
  if (lettering.anchor == Lettering::Anchor::middle) out_ += " text-anchor=\"middle\"";
  if (lettering.anchor == Lettering::Anchor::end) out_ += " text-anchor=\"end\"";
  if (lettering.bold) out_ += " font-weight=\"600\"";
  if (lettering.upright) out_ += " transform=\"rotate(-90 " + number(at.x) + " " + number(at.y) + ")\"";
  out_ += ">" + escaped(text) + "</text>\n";
}

double SvgCanvas::width_of(std::string_view text, const Lettering& lettering) const {
  // Of usual fonts without serifs; a picture cannot ask which one a reader has.
  return static_cast<double>(length_of(text)) * lettering.size * (lettering.bold ? 0.6 : 0.56);
}

}  // namespace nephron::host
