#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include <nephron/image.hpp>

#include <host/plugins/registry.hpp>
#include <host/slides/opener.hpp>

namespace nephron::host {

/// A picture or a slide as a page shows it.
struct ShownPicture {
  Image picture;  ///< RGB, as large as it is shown
  Size full;      ///< its own size
};

/// Reads pictures whole, and slides by their smallest level that is large enough.
class ShownPictures {
 public:
  /// `side`: the longer one of what is shown, px.
  explicit ShownPictures(std::int64_t side) : side_(side) {}
  /// Throws Error that names the file.
  ShownPicture read(const std::filesystem::path& file);

 private:
  std::int64_t side_;
  std::unique_ptr<Registry> registry_;  ///< made when the first slide is read
  std::unique_ptr<ReaderOpener> opener_;
};

/// To another size: means where it becomes smaller.
Image resized(const Image& image, Size size);

/// Whether a map is of a picture of this size: large ones are held at a half, a quarter, ... of theirs.
bool is_map_of(Size map, Size picture);

/// A mask or a map of probabilities of a picture, PNG or TIFF, as large as the picture is shown. Throws Error that
/// names the file, also where it is of another size than the picture.
Image shown_map(const std::filesystem::path& file, const ShownPicture& picture);

}  // namespace nephron::host
