#pragma once

#include <cstdint>
#include <span>

#include <nephron/geometry.hpp>

#include <host/objects/object_finder.hpp>

namespace nephron::host {

/// Where the rings of an outline run.
enum class Rings : std::uint8_t {
  /// Along the edges of pixels: pixel (x, y) covers [x, x + 1) by [y, y + 1). The area of the polygon is that of the
  /// object, at any scale.
  edges,
  /// Through the outermost pixels of the object, which belong to it, holes too: what OpenCV's fillPoly and LabelPainter
  /// fill is the object, at any scale.
  pixels,
};

/// The outer ring, then holes, of one object of an 8-connected mask, whose pixels are `scale` pixels of the picture
/// wide and high. Rings are not closed, have corners alone, and all edges are level or upright, but where pixels touch
/// in a corner. Memory: a few times the runs. Throws Error when the runs are no single object.
Polygon contour_of(std::span<const RowRun> object, Rings rings, std::int64_t scale = 1);
inline Polygon contour_of(const FoundObject& object, Rings rings, std::int64_t scale = 1) {
  return contour_of(object.runs, rings, scale);
}

}  // namespace nephron::host
