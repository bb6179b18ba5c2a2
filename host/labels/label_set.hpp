#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nephron/geojson.hpp>
#include <nephron/rle.hpp>

#include <host/labels/painter.hpp>

namespace nephron::host {

/// The labels of one slide as a file held them: objects, or a mask a class.
struct LabelSet {
  Size size;
  std::vector<std::string> classes;  ///< in the order of their bits
  bool holds_objects = false;
  std::vector<AnnotatedObject> objects;  ///< holds_objects: each of one of `classes`
  std::vector<Runs> masks;               ///< otherwise: of each class, down the columns
  std::vector<std::string> notes;        ///< what was left out, and why
  bool size_known = true;                ///< false: `size` is that of the box around the objects

  int class_index(const std::string& name) const noexcept;  ///< -1 when there is none
};

/// Something to paint windows of.
LabelPainter painter_of(const LabelSet& labels, bool reference_compat = false);
/// The runs of each class; objects are painted in vertical strips. Throws Cancelled after Ctrl-C.
std::vector<Runs> masks_of(const LabelSet& labels, bool reference_compat = false);
/// The objects; masks are traced.
std::vector<AnnotatedObject> objects_of(const LabelSet& labels);

}  // namespace nephron::host
