#include <host/objects/outline.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

// A run has two upright edges, number 2 i on its left and 2 i + 1 on its right, and an edge has two ends, number 2 e on
// top and 2 e + 1 below. On each line of corners between two rows, an end is linked with the one that its ring goes on
// with: along a level edge, or straight on. Rings are then walked from end to end.
class Tracer {
 public:
  Tracer(std::span<const RowRun> runs, Rings rings, std::int64_t scale)
      : runs_(runs), rings_(rings), scale_(scale), linked_(4 * runs.size()), touches_(4 * runs.size()) {}

  Polygon trace() {
    link_lines();
    std::vector<bool> walked(2 * runs_.size());
    Polygon out;
    for (std::size_t edge = 0; edge < walked.size(); ++edge) {
      if (walked[edge]) continue;
      // The first edge of a ring, in the order of the rows, is a left one for an outline and a right one for a hole.
      if ((edge % 2 == 0) != out.empty()) throw Error("runs of several objects have no single outline");
      out.push_back(ring_from(edge, walked));
    }
    return out;
  }

 private:
  struct Span {
    std::size_t begin = 0, end = 0;
  };

  std::int64_t column(std::size_t edge) const { return edge % 2 == 0 ? runs_[edge / 2].first : runs_[edge / 2].end; }

  void link(std::size_t a, std::size_t b) { linked_[a] = b, linked_[b] = a; }

  void link_lines() {
    Span above;
    while (above.end < runs_.size()) {
      Span here{above.end, above.end};
      while (here.end < runs_.size() && runs_[here.end].y == runs_[here.begin].y) ++here.end;
      if (above.begin < above.end && runs_[above.begin].y + 1 == runs_[here.begin].y) link_line(above, here);
      else link_line(above, {}), link_line({}, here);
      above = here;
    }
    link_line(above, {});
  }

  /// The line of corners below the runs of one row and above those of the next.
  void link_line(Span above, Span below) {
    std::size_t up = 2 * above.begin, down = 2 * below.begin;
    std::size_t start = none;  // where a level edge began that is not linked yet: it has an object on one side alone
    while (up < 2 * above.end || down < 2 * below.end) {
      const bool has_up = up < 2 * above.end && (down == 2 * below.end || column(up) <= column(down));
      const bool has_down = down < 2 * below.end && (up == 2 * above.end || column(down) <= column(up));
      const std::size_t up_end = 2 * up + 1, down_end = 2 * down;
      if (has_up && has_down && start == none) {
        link(up_end, down_end);
      } else if (has_up && has_down) {
        // Two pixels touch in this corner. They hang together: rings go round the two others.
        const bool upper_is_left = up % 2 == 1;
        link(start, upper_is_left ? down_end : up_end);
        start = upper_is_left ? up_end : down_end;
        touches_[up_end] = touches_[down_end] = true;
      } else {
        const std::size_t end = has_up ? up_end : down_end;
        if (start == none) start = end;
        else link(start, end), start = none;
      }
      up += has_up ? 1 : 0, down += has_down ? 1 : 0;
    }
  }

  std::vector<Point> ring_from(std::size_t first, std::vector<bool>& walked) const {
    std::vector<Point> ring;
    // Outlines go up on their left, holes down: one is clockwise on the screen, the other not.
    std::size_t end = first % 2 == 0 ? 2 * first : 2 * first + 1;
    do {
      walked[end / 2] = true;
      const std::size_t next = linked_[end];
      add_level_edge(end, next, ring);
      end = next ^ 1U;  // along that edge, to its other end
    } while (end / 2 != first);
    // Through pixels, an edge of one pixel is a point.
    const auto same = [](const Point& p, const Point& q) { return p.x == q.x && p.y == q.y; };
    ring.erase(std::unique(ring.begin(), ring.end(), same), ring.end());
    while (ring.size() > 1 && same(ring.front(), ring.back())) ring.pop_back();
    return ring;
  }

  void add_level_edge(std::size_t from, std::size_t to, std::vector<Point>& ring) const {
    const std::int64_t a = column(from / 2), b = column(to / 2);
    if (a == b) return;  // straight on
    const std::int64_t line = (runs_[from / 4].y + static_cast<std::int64_t>(from % 2)) * scale_;
    if (rings_ == Rings::edges) {
      ring.push_back(point(a * scale_, line));
      ring.push_back(point(b * scale_, line));
      return;
    }
    // The object lies on the side of the edge's own pixel where the level edge runs along that pixel.
    const bool left = from / 2 % 2 == 0, pixel_above = from % 2 == 1;
    const bool object_above = left == (b > a) ? pixel_above : !pixel_above;
    const std::int64_t y = line - (object_above ? 1 : 0);
    add_end(from, b > a, y, ring);
    const std::size_t before = ring.size();
    add_end(to, a > b, y, ring);
    if (ring.size() == before + 2) std::swap(ring[before], ring[before + 1]);
  }

  /// A level edge's pixel at one of its ends; before it that of the upright edge, where they touch in a corner.
  void add_end(std::size_t end, bool goes_right, std::int64_t y, std::vector<Point>& ring) const {
    const std::int64_t corner = column(end / 2) * scale_;
    const std::int64_t upright = corner - (end / 2 % 2 == 1 ? 1 : 0);
    if (!touches_[end]) return ring.push_back(point(upright, y));
    const std::int64_t line = (runs_[end / 4].y + static_cast<std::int64_t>(end % 2)) * scale_;
    ring.push_back(point(upright, line - (end % 2 == 1 ? 1 : 0)));
    ring.push_back(point(corner - (goes_right ? 0 : 1), y));
  }

  static Point point(std::int64_t x, std::int64_t y) { return {static_cast<double>(x), static_cast<double>(y)}; }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::span<const RowRun> runs_;
  Rings rings_;
  std::int64_t scale_;
  std::vector<std::size_t> linked_;
  std::vector<bool> touches_;  ///< ends in a corner where two pixels touch
};

}  // namespace

Polygon contour_of(std::span<const RowRun> object, Rings rings, std::int64_t scale) {
  return Tracer(object, rings, scale).trace();
}

}  // namespace nephron::host
