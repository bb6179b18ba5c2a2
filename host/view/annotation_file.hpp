#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include <nephron/error.hpp>
#include <nephron/geojson.hpp>

namespace nephron::host {

/// The objects that somebody draws on slides: FOLDER/ID.json of each, GeoJSON as QuPath and the datasets read it. Files
/// are replaced atomically. Thread-safe.
class AnnotationFolder {
 public:
  /// `inputs`: files that are never replaced.
  AnnotationFolder(std::filesystem::path folder, std::vector<std::filesystem::path> inputs);

  struct Content {
    std::vector<AnnotatedObject> objects;
    std::string version;  ///< changes with the file; "" when there is none
  };
  /// Throws Error for a file that holds what would be lost if it were written again.
  Content read(const std::string& id) const;
  /// Writes the objects in place of those of `version`, and gives the new version back. Throws Conflict when somebody
  /// else has written since, Error when nothing can be written.
  std::string write(const std::string& id, const std::vector<AnnotatedObject>& objects,
                    const std::vector<std::string>& classes, const std::string& version);

  std::filesystem::path file(const std::string& id) const;
  const std::filesystem::path& folder() const noexcept { return folder_; }

  /// Somebody else has written meanwhile.
  class Conflict final : public Error {
   public:
    using Error::Error;
  };

 private:
  Content read_locked(const std::string& id) const;

  std::filesystem::path folder_;
  std::vector<std::filesystem::path> inputs_;
  mutable std::mutex mutex_;
};

/// What the page sends: {"version", "objects": [{"class", "parts": [[[x, y, ...], hole...], ...]}]}.
struct Drawing {
  std::string version;
  std::vector<AnnotatedObject> objects;
};
/// Vertices are multiplied by `scale`. Throws Error that says what is wrong with a text.
Drawing parse_drawing(const std::string& json, double scale);
/// The same the other way.
std::string drawing_json(const AnnotationFolder::Content& content, double scale);

}  // namespace nephron::host
