#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/geometry.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// One annotated object: a Polygon has one part, a MultiPolygon several.
struct AnnotatedObject {
  std::vector<Polygon> parts;  ///< level-0 pixels; vertices as in the file: fractional, maybe outside, rings maybe open
  std::string class_name;      ///< empty: the object has no classification
  std::string id;              ///< empty when the file gives none
  std::vector<std::pair<std::string, double>> measurements;
  Room room{};
};

/// A feature that is no area or has no vertices.
struct SkippedFeature {
  std::size_t number = 0;  ///< its place in the file, counted from 1
  std::string why;
  std::string class_name;  ///< empty: no classification
  Room room{};
};

struct AnnotatedObjects {
  std::vector<AnnotatedObject> objects;
  std::vector<SkippedFeature> skipped;
  Room room{};
};

/// Reads what QuPath exports and what HuBMAP's ground truth looks like: a list of Features, a FeatureCollection, or one
/// Feature. Points, lines and features without geometry are skipped and listed; text that is no such file is an Error
/// that names the file, the feature and what was expected.
NEPHRON_API AnnotatedObjects read_geojson(const std::filesystem::path& file);
/// `where`: what errors call the text.
NEPHRON_API AnnotatedObjects parse_geojson(std::string_view text, std::string_view where);

/// All rings of all parts in one ring. This is how the reference pipeline fills objects of several parts or with holes:
/// parts are bridged and holes lost. To be equal to it, annotate with this polygon in place of the parts.
NEPHRON_API Polygon joined_rings(const std::vector<Polygon>& parts);

}  // namespace nephron
