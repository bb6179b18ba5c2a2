#pragma once

#include <span>
#include <string>

#include <host/metrics/slide_meter.hpp>

namespace nephron::host {

/// A measured slide with what says which one it is: equal digests are equal pixels.
struct SlideRow {
  SlideMeasures measures;
  int fold = -1;        ///< whose network predicted it; -1: none
  std::string picture;  ///< digest at the level that was measured; empty: not known
  std::string truth;    ///< likewise of the annotation
  std::string donor{};  ///< empty: not known
};

/// A table as CSV (a line of column names) and as JSON lines. What is undefined is an empty cell, or null.
struct TableText {
  std::string csv, jsonl;
};

/// A line a slide and class, a column a value. Values of all classes together have a line of their own, of class "".
TableText slide_table(std::span<const SlideRow> slides);

/// A line an object, found and true ones: where it lies (pixels of the level that was measured), its size in pixels and
/// microns, and the object of the other side that it has most in common with.
TableText object_table(std::span<const SlideRow> slides);

}  // namespace nephron::host
