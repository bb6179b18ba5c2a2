#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/geojson.hpp>

namespace nephron::host {

/// A GeoJSON file whose features can be left out, changed and added to while everything else that it holds stays: ids,
/// names, measurements, members that nephron knows nothing of, and features that are no areas.
class GeoJsonDocument {
 public:
  struct Feature {
    std::string text;                       ///< its JSON, on one line
    std::optional<AnnotatedObject> object;  ///< nothing: it is no area, or has no vertices
  };

  /// A FeatureCollection without features.
  GeoJsonDocument();
  /// Throws Error as parse_geojson() does.
  GeoJsonDocument(std::string_view text, std::string_view where);

  std::vector<Feature> features;

  /// A list where the file was one, else a FeatureCollection with its members; a feature a line.
  std::string text() const;

 private:
  std::string head_, tail_;  ///< of the file, around its features
};

}  // namespace nephron::host
