#include <host/labels/polygon_scan.hpp>

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

constexpr int fraction_bits = 16;
constexpr std::int64_t pixel = std::int64_t{1} << fraction_bits;

// fillPoly counts in 64-bit integers; what lies farther out than this cannot be seen on any slide.
std::int64_t truncated(double v) {
  if (!std::isfinite(v)) throw Error("a polygon has a vertex that is not a number");
  return static_cast<std::int64_t>(std::clamp(v, -1e8, 1e8));
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/// Takes what begins at or above `row` into `active`, and drops what has ended.
template <class T>
void advance(const std::vector<T>& all, std::size_t& next, std::int64_t row, std::vector<const T*>& active) {
  for (; next < all.size() && all[next].first <= row; ++next) active.push_back(&all[next]);
  std::erase_if(active, [row](const T* t) { return t->last < row; });
}

template <class T>
void sort_by_row(std::vector<T>& all) {
  std::sort(all.begin(), all.end(), [](const T& a, const T& b) { return a.first < b.first; });
}

}  // namespace

PolygonScan::PolygonScan(const Polygon& rings, Size slide) : slide_(slide) {
  for (const auto& ring : rings) add_ring(ring);
  sort_by_row(sides_);
  sort_by_row(lines_);
  box_ = box_.clipped({0, 0, slide.width, slide.height});
}

void PolygonScan::add_ring(const std::vector<Point>& ring) {
  if (ring.empty()) return;
  const auto vertex = [](Point p) { return Vertex{truncated(p.x), truncated(p.y)}; };
  Vertex from = vertex(ring.back());
  for (const Point& point : ring) {
    const Vertex to = vertex(point);
    add_edge(from, to);
    from = to;
  }
}

void PolygonScan::add_edge(Vertex from, Vertex to) {
  const auto outside = [this](Vertex v) { return v.x < 0 || v.y < 0 || v.x >= slide_.width || v.y >= slide_.height; };
  cv::Point2l a(from.x, from.y), b(to.x, to.y);
  if (!(outside(from) || outside(to)) || cv::clipLine(cv::Size2l(slide_.width, slide_.height), a, b))
    add_line({a.x, a.y}, {b.x, b.y});
  if (from.y == to.y) return;
  if (from.y > to.y) std::swap(from, to);
  Side side;
  side.first = from.y;
  side.last = to.y - 1;
  side.x = from.x * pixel;
  side.dx = (to.x - from.x) * pixel / (to.y - from.y);
  const std::int64_t left = std::min(from.x, to.x) - 1;  // dx is truncated, so a side may end beside its vertex
  cover({left, side.first, std::abs(to.x - from.x) + 3, side.last - side.first + 1});
  if (side.last >= 0 && side.first < slide_.height) sides_.push_back(side);
}

void PolygonScan::add_line(Vertex from, Vertex to) {
  if (to.x < from.x) std::swap(from, to);
  const std::int64_t dx = to.x - from.x, dy = std::abs(to.y - from.y);
  Line line;
  line.first = std::min(from.y, to.y);
  line.last = std::max(from.y, to.y);
  line.x = from.x;
  line.y = from.y;
  line.steep = dy > dx;
  line.along = std::max(dx, dy);
  line.across = std::min(dx, dy);
  cover({from.x, line.first, dx + 1, dy + 1});
  lines_.push_back(line);
}

void PolygonScan::cover(const Region& part) noexcept {
  if (box_.empty()) {
    box_ = part;
    return;
  }
  const std::int64_t x1 = std::max(box_.x + box_.width, part.x + part.width);
  const std::int64_t y1 = std::max(box_.y + box_.height, part.y + part.height);
  box_.x = std::min(box_.x, part.x);
  box_.y = std::min(box_.y, part.y);
  box_.width = x1 - box_.x;
  box_.height = y1 - box_.y;
}

// A Bresenham line: k steps on the longer axis come with the smallest m >= 0 for which 2 across k <= along (2 m + 1).
Span PolygonScan::Line::on_row(std::int64_t row) const noexcept {
  const std::int64_t n = std::abs(row - y);
  if (steep) {
    const std::int64_t m = std::max<std::int64_t>(0, -floor_div(along - 2 * across * n, 2 * along));
    return {x + m, x + m};
  }
  if (across == 0) return {x, x + along};
  const std::int64_t begin = n == 0 ? 0 : along * (2 * n - 1) / (2 * across) + 1;
  return {x + begin, x + std::min(along, along * (2 * n + 1) / (2 * across))};
}

void PolygonScan::Walk::row(std::int64_t row, std::vector<Span>& out) {
  advance(scan_.sides_, next_side_, row, sides_);
  advance(scan_.lines_, next_line_, row, lines_);
  for (const Line* line : lines_) out.push_back(line->on_row(row));
  crossings_.clear();
  for (const Side* side : sides_) crossings_.push_back(side->x + (row - side->first) * side->dx);
  std::sort(crossings_.begin(), crossings_.end());
  for (std::size_t i = 0; i + 1 < crossings_.size(); i += 2) {
    const std::int64_t first = std::max<std::int64_t>(0, (crossings_[i] + pixel - 1) >> fraction_bits);
    const std::int64_t last = std::min(scan_.slide_.width - 1, crossings_[i + 1] >> fraction_bits);
    if (first <= last) out.push_back({first, last});
  }
}

}  // namespace nephron::host
