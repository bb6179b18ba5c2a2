#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <nephron/geometry.hpp>

namespace nephron::host {

/// Pixels [first, last] of a row.
struct Span {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

/// A polygon as OpenCV's fillPoly draws it on a picture of the slide's size (8-connected boundary, no shift), so
/// written that any row can be asked for alone: its boundary and its inside are functions of the row's number.
///
/// What fillPoly does: vertices are whole pixels. Each edge is drawn as a line and bounds the inside, which is filled
/// by the even-odd rule between edges in units of 1/65536 px. The line of an edge that leaves the picture is clipped to
/// it first, and may then take other pixels; so lines are clipped to the whole slide, whatever window is painted. This
/// is OpenCV up to 4.6, which the reference pipeline used; later ones move the inside of clipped edges too, so they
/// differ where a polygon leaves the slide.
class PolygonScan {
 public:
  /// `rings` of one object: outline and holes. Vertices are truncated. Throws Error for a vertex that is no number.
  PolygonScan(const Polygon& rings, Size slide);

  /// What the spans of all rows lie in; empty when nothing of the polygon is on the slide.
  const Region& box() const noexcept { return box_; }
  bool empty() const noexcept { return box_.empty(); }

  /// Walks down rows. Rows are asked for in rising order.
  class Walk;

 private:
  /// A side of the inside. At row y, in [first, last], it stands at x + (y - first) dx, in 1/65536 px.
  struct Side {
    std::int64_t first = 0, last = 0;
    std::int64_t x = 0, dx = 0;
  };
  /// A drawn line from its left end: `along` steps on its longer axis, `across` on the other.
  struct Line {
    std::int64_t first = 0, last = 0;  ///< rows
    std::int64_t x = 0, y = 0;
    std::int64_t along = 0, across = 0;
    bool steep = false;  ///< the longer axis is y
    Span on_row(std::int64_t row) const noexcept;
  };
  struct Vertex {
    std::int64_t x = 0, y = 0;
  };

  void add_ring(const std::vector<Point>& ring);
  void add_edge(Vertex from, Vertex to);
  void add_line(Vertex from, Vertex to);
  void cover(const Region& part) noexcept;

  Size slide_;
  Region box_;
  std::vector<Side> sides_;  // both sorted by their first row
  std::vector<Line> lines_;
};

class PolygonScan::Walk {
 public:
  explicit Walk(const PolygonScan& scan) : scan_(scan) {}
  /// Appends the spans of `row`: in any order, they may overlap.
  void row(std::int64_t row, std::vector<Span>& out);

 private:
  const PolygonScan& scan_;
  std::vector<const Side*> sides_;  // that meet the row
  std::vector<const Line*> lines_;
  std::size_t next_side_ = 0, next_line_ = 0;
  std::vector<std::int64_t> crossings_;
};

}  // namespace nephron::host
