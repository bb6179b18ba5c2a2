#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>

namespace nephron::host {

/// How maps of probabilities are written.
enum class MapFormat : std::uint8_t {
  by_size,  ///< PNG up to largest_png pixels, a TIFF of bytes beyond
  png,
  tiff,    ///< tiled, with its reductions; bytes
  halves,  ///< the same in 16-bit floating point
};

inline constexpr std::int64_t largest_png = std::int64_t{1} << 27;

/// What is written of a prediction.
struct Kept {
  bool maps = true, masks = true, rle = false, submission = false, geojson = false, coco = false, objects = false;
  bool tta = false;                ///< the map of each flip
  std::vector<std::string> flips;  ///< that these are; none without `tta`
  MapFormat format = MapFormat::by_size;
  std::int64_t least_area = 100;  ///< of objects, px
  std::int64_t fill_holes = 0;    ///< of objects: largest hole that is filled, px

  bool any_objects() const noexcept { return geojson || coco || objects; }
  bool runs() const noexcept { return rle || submission; }
  bool as_tiff(Size size) const noexcept {
    return format == MapFormat::by_size ? size.area() > largest_png : format != MapFormat::png;
  }
};

/// The words of --save.
inline constexpr const char* kept_words[] = {"maps", "tta", "masks", "rle", "submission", "geojson", "coco", "objects"};

/// Of such words and the word of --maps: "auto", "png", "tiff" or "tiff16". Throws UsageError for others.
Kept kept_of(const std::vector<std::string>& words, const std::string& format);
/// The word of --maps.
const char* word_of(MapFormat format) noexcept;

}  // namespace nephron::host
