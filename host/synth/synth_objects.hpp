#pragma once

#include <string>
#include <vector>

#include <nephron/dataset.hpp>
#include <nephron/geojson.hpp>

namespace nephron::host {

/// The polygons of a slide as objects with the class names of `classes`. Every third has a hole; the second of every
/// four is joined with the next of its class to one object of two parts. Throws Error when the dataset gives anything
/// but polygons.
std::vector<AnnotatedObject> varied_objects(const Dataset& dataset, const SlideInfo& slide,
                                            const std::vector<std::string>& classes);

}  // namespace nephron::host
