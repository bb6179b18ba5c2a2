#pragma once

#include <filesystem>
#include <string>

#include <nephron/export.hpp>
#include <nephron/image.hpp>

namespace nephron {

/// What is known of a slide without touching its pixels.
struct SlideInfo {
  std::string id;     ///< unique in its dataset
  Size size;          ///< of level 0
  double mpp = 0;     ///< microns per pixel at level 0; 0 when unknown
  std::string donor;  ///< slides of one donor never stand on both sides of a fold; empty when unknown
  std::string group;  ///< sampling group, such as "external"; empty: the dataset's own
  std::filesystem::path source;  ///< file the pixels come from; empty when they are made
};

/// An open slide. Const calls are thread-safe.
class NEPHRON_API SlideReader {
 public:
  virtual ~SlideReader();
  virtual Size size() const noexcept = 0;  ///< of level 0
  /// Fills `out` (region-sized, u8 RGB) with level-0 pixels. The region lies inside the slide.
  /// Throws Error that names slide and region.
  virtual void read(const Region& region, const ImageView& out) const = 0;
};

}  // namespace nephron
