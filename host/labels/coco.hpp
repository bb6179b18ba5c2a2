#pragma once

#include <string>
#include <string_view>

#include <host/labels/label_set.hpp>

namespace nephron::host {

/// Objects of one image of a COCO file: polygons, run lengths as text or as numbers (those are traced). `image`: file
/// name, its stem or id; may be empty when the file has one image. `size`: what the image must have; empty: as the file
/// says. Throws Error that names file and annotation.
LabelSet parse_coco(std::string_view text, std::string_view where, const std::string& image, Size size);
/// True for text whose outermost object has "annotations", which GeoJSON has not.
bool looks_like_coco(std::string_view text);

/// One image with all objects: polygons where the set holds objects without holes, otherwise compressed run lengths.
/// A measurement "confidence" is its score. `origin`: a JSON object that becomes the file's "info"; empty: none.
std::string coco_text(const LabelSet& labels, const std::string& file_name, const std::string& origin = {});

}  // namespace nephron::host
