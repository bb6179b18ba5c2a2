#pragma once

#include <span>
#include <vector>

#include <nephron/geojson.hpp>
#include <nephron/rle.hpp>

namespace nephron::host {

/// The 8-connected objects of a mask, given as runs down its columns, by their left edge. Rings go through the centres
/// of boundary pixels: filling them as LabelPainter does gives the same pixels back. Memory: the runs and the bounding
/// box of one object.
std::vector<AnnotatedObject> trace_objects(std::span<const Run> runs, Size mask);

/// Runs down the columns of the whole slide, of one object filled as LabelPainter does.
Runs runs_of_object(const AnnotatedObject& object, Size slide);

/// The pixels that runs down the columns of a slide lie in.
Region box_of(std::span<const Run> runs, Size slide);

}  // namespace nephron::host
