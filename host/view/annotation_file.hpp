#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <nephron/error.hpp>
#include <nephron/geojson.hpp>

#include <host/labels/geojson_document.hpp>

namespace nephron::host {

struct DrawnObject {
  std::string feature;  ///< which one of the file it is; empty: it was drawn since
  std::string class_name;
  std::vector<Polygon> parts;  ///< of one of the file they stay as they are there
};

struct Drawing {
  std::string version;  ///< changes with the file; "" when there is none
  std::vector<DrawnObject> objects;
};

/// The objects that somebody draws on slides: FOLDER/ID.json of each, GeoJSON as QuPath and the datasets read it. What
/// a file holds besides outlines and classes stays in it: ids, names, measurements, other members, points and lines.
/// Files are replaced atomically. Thread-safe.
class AnnotationFolder {
 public:
  /// `inputs`: files that are never replaced.
  AnnotationFolder(std::filesystem::path folder, std::vector<std::filesystem::path> inputs);

  /// Throws Error for a file that is no GeoJSON.
  Drawing read(const std::string& id) const;

  struct Saved {
    std::string version;
    std::vector<std::string> features;  ///< of each object
  };
  /// Writes the objects in place of those of the drawing's version. Objects of the file keep all but their class; what
  /// was removed can come back (undo). Throws Conflict when somebody else has written since, Error when nothing can be
  /// written.
  Saved write(const std::string& id, const Drawing& drawing, const std::vector<std::string>& classes);

  std::filesystem::path file(const std::string& id) const;
  const std::filesystem::path& folder() const noexcept { return folder_; }

  /// Somebody else has written meanwhile.
  class Conflict final : public Error {
   public:
    using Error::Error;
  };

 private:
  struct Content {
    GeoJsonDocument document;
    std::string version;
  };
  Content read_locked(const std::string& id) const;

  std::filesystem::path folder_;
  std::vector<std::filesystem::path> inputs_;
  mutable std::mutex mutex_;
  std::map<std::string, GeoJsonDocument::Feature> removed_;  ///< that were in a file and can come back
};

/// What the page sends: {"version", "objects": [{"class", "parts": [[[x, y, ...], hole...], ...]}]}, where an object of
/// the file has its "feature" in place of parts. Vertices are multiplied by `scale`. Throws Error that says what is
/// wrong with a text.
Drawing parse_drawing(const std::string& json, double scale);
/// The same the other way; objects of the file have both.
std::string drawing_json(const Drawing& drawing, double scale);

}  // namespace nephron::host
