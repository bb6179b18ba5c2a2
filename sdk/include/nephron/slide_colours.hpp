#pragma once

#include <array>
#include <cstddef>

#include <nephron/augmentation.hpp>
#include <nephron/export.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// The colours of one slide, measured once: of its tissue, at the level that it is trained at.
struct SlideColours {
  /// Optical densities, d = ln(255 / value), of the two stains (RGB, of length 1), the one that takes more red away
  /// first: haematoxylin, of most stainings. As Macenko et al. 2009 find them.
  std::array<std::array<double, 3>, 2> stains{};
  /// Amount of each stain that one pixel in a hundred exceeds; 0 where the two cannot be told apart.
  std::array<double, 2> strength{};
  std::array<double, 3> lab_mean{}, lab_deviation{};      ///< in CIELAB under D65
  std::array<double, 3> background{255.0, 255.0, 255.0};  ///< RGB of the glass, or white where none is in sight
  Room room{};
};

/// The colours of the slides that are trained on. Const calls are thread-safe; a slide may be measured by the first.
class NEPHRON_API ColourBook {
 public:
  virtual ~ColourBook();
  virtual std::size_t size() const noexcept = 0;  ///< slides
  /// Null where a slide has too little tissue to be measured.
  virtual const SlideColours* colours(std::size_t slide) const = 0;
};

/// Of all slides that are trained on; null where the host knows of none. It lives as long as the sample is made.
NEPHRON_API const ColourBook* colour_book(const SampleInfo& sample);
/// Of the sample's own slide; null where nothing is known of it.
NEPHRON_API const SlideColours* slide_colours(const SampleInfo& sample);
/// For hosts and tests: `slide` is the sample's own in the book.
NEPHRON_API void set_colours(SampleInfo& sample, const ColourBook& book, std::size_t slide);

}  // namespace nephron
