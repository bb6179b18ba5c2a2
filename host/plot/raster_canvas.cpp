#include <host/plot/raster_canvas.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <opencv2/imgproc.hpp>

#include <nephron/image_cv.hpp>

#include <host/html/palette.hpp>

namespace nephron::host {

namespace {

constexpr int fraction = 4;  // bits of a coordinate's fraction
constexpr int font = cv::FONT_HERSHEY_DUPLEX;
constexpr double letter_height = 22;  // of its capitals at scale 1, px
constexpr double capitals = 0.72;     // of a letter's size

std::string ascii(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) out += byte < 0x20 ? ' ' : c;
    else if ((byte & 0xC0) == 0xC0) out += '?';  // the first byte of a letter
  }
  return out;
}

/// Drawn pixels of a pixel of the picture: large ones need less, and memory is bounded.
int finer_for(double width) { return width <= 2400 ? 4 : 2; }

cv::Scalar colour_of(Paint paint) {
  const Rgb rgb = rgb_of(paint);
  return cv::Scalar(rgb[0], rgb[1], rgb[2]);
}

/// Pieces of a line that dashes leave.
std::vector<std::vector<Point>> dashed(std::span<const Point> points, const std::vector<double>& dashes) {
  std::vector<std::vector<Point>> out;
  std::size_t which = 0;
  double left = dashes[0];
  std::vector<Point> piece;
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    Point from = points[i];
    const Point to = points[i + 1];
    double length = std::hypot(to.x - from.x, to.y - from.y);
    if (which % 2 == 0 && piece.empty()) piece.push_back(from);
    while (length > left) {
      const double part = left / length;
      from = {from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part};
      length -= left;
      if (which % 2 == 0) {
        piece.push_back(from);
        out.push_back(std::move(piece));
        piece.clear();
      } else {
        piece = {from};
      }
      which = (which + 1) % dashes.size();
      left = dashes[which];
    }
    left -= length;
    if (which % 2 == 0) piece.push_back(to);
  }
  if (piece.size() > 1) out.push_back(std::move(piece));
  return out;
}

}  // namespace

RasterCanvas::RasterCanvas(Point size, double scale)
    : scale_(scale * finer_for(size.x * scale)),
      size_{std::llround(size.x * scale), std::llround(size.y * scale)},
      pixels_(static_cast<int>(size_.height) * finer_for(size.x * scale),
              static_cast<int>(size_.width) * finer_for(size.x * scale), CV_8UC3, colour_of({Paint::Of::ground})) {}

cv::Point RasterCanvas::fine(Point p) const {
  const auto to = [&](double v) { return static_cast<int>(std::lround(v * scale_ * (1 << fraction))); };
  return {to(p.x), to(p.y)};
}

template <class Shape>
void RasterCanvas::draw(Paint paint, double opacity, const Shape& shape) {
  if (opacity >= 1) return shape(pixels_, colour_of(paint));
  cv::Mat mask(pixels_.size(), CV_8UC1, cv::Scalar(0));
  shape(mask, cv::Scalar(255));
  const cv::Rect box = cv::boundingRect(mask);
  if (box.empty()) return;
  const cv::Mat part = pixels_(box), of_mask = mask(box);
  const cv::Mat flat(box.size(), CV_8UC3, colour_of(paint));
  cv::Mat mixed;
  cv::addWeighted(part, 1 - opacity, flat, opacity, 0, mixed);
  mixed.copyTo(part, of_mask);
}

void RasterCanvas::line(std::span<const Point> points, const Stroke& stroke) {
  std::vector<std::vector<cv::Point>> pieces;
  const auto add = [&](std::span<const Point> piece) {
    auto& out = pieces.emplace_back();
    for (const Point& p : piece) out.push_back(fine(p));
  };
  if (stroke.dashes.empty()) add(points);
  else
    for (const auto& piece : dashed(points, stroke.dashes)) add(piece);
  const int width = std::max(1, static_cast<int>(std::lround(stroke.width * scale_)));
  draw(stroke.paint, stroke.opacity, [&](cv::Mat& onto, const cv::Scalar& colour) {
    for (const auto& piece : pieces)
      cv::polylines(onto, std::vector<std::vector<cv::Point>>{piece}, false, colour, width, cv::LINE_8, fraction);
  });
}

void RasterCanvas::area(std::span<const Point> corners, Paint paint, double opacity) {
  std::vector<cv::Point> outline;
  for (const Point& p : corners) outline.push_back(fine(p));
  if (outline.empty()) return;
  draw(paint, opacity, [&](cv::Mat& onto, const cv::Scalar& colour) {
    cv::fillPoly(onto, std::vector<std::vector<cv::Point>>{outline}, colour, cv::LINE_8, fraction);
  });
}

void RasterCanvas::dot(Point middle, double radius, Paint paint, std::string_view) {
  draw(paint, 1, [&](cv::Mat& onto, const cv::Scalar& colour) {
    cv::circle(onto, fine(middle), static_cast<int>(std::lround(radius * scale_ * (1 << fraction))), colour, cv::FILLED,
               cv::LINE_8, fraction);
  });
}

void RasterCanvas::text(Point at, std::string_view text, const Lettering& lettering) {
  const std::string letters = ascii(text);
  if (letters.empty()) return;
  const double scale = lettering.size * capitals * scale_ / letter_height;
  const int width =
      std::max(1, static_cast<int>(std::lround(lettering.size * scale_ * (lettering.bold ? 0.095 : 0.058))));
  int below = 0;
  const cv::Size box = cv::getTextSize(letters, font, scale, width, &below);
  const int room = width + 2;
  cv::Mat mask(box.height + below + 2 * room, box.width + 2 * room, CV_8UC1, cv::Scalar(0));
  cv::putText(mask, letters, {room, box.height + room}, font, scale, cv::Scalar(255), width, cv::LINE_AA);
  double back = 0;
  if (lettering.anchor == Lettering::Anchor::middle) back = box.width / 2.0;
  if (lettering.anchor == Lettering::Anchor::end) back = box.width;
  int left = static_cast<int>(std::lround(at.x * scale_ - back)) - room;
  int top = static_cast<int>(std::lround(at.y * scale_)) - box.height - room;
  if (lettering.upright) {
    cv::rotate(mask, mask, cv::ROTATE_90_COUNTERCLOCKWISE);
    left = static_cast<int>(std::lround(at.x * scale_)) - box.height - room;
    top = static_cast<int>(std::lround(at.y * scale_ + back)) - box.width - room;
  }
  const cv::Rect whole(0, 0, pixels_.cols, pixels_.rows), place = cv::Rect(left, top, mask.cols, mask.rows) & whole;
  if (place.empty()) return;
  const cv::Mat of_mask = mask(cv::Rect(place.x - left, place.y - top, place.width, place.height));
  cv::Mat part = pixels_(place);
  part.setTo(colour_of(lettering.paint), of_mask > 127);
}

double RasterCanvas::width_of(std::string_view text, const Lettering& lettering) const {
  int below = 0;
  const double scale = lettering.size * capitals * scale_ / letter_height;
  return cv::getTextSize(ascii(text), font, scale, 1, &below).width / scale_;
}

Image RasterCanvas::picture() const {
  Image out(size_, 3);
  cv::Mat to = as_mat(out.view());
  cv::resize(pixels_, to, to.size(), 0, 0, cv::INTER_AREA);
  return out;
}

}  // namespace nephron::host
