#pragma once

#include <cstdint>
#include <vector>

namespace outlines {

/// A piece of the outline of a mask, at a corner of pixels: column and row of the pixel right below it.
struct Element {
  std::int32_t x = 0;
  std::int32_t y = 0;
  float length = 0;  ///< of the outline there, in pixels
};

/// The outline of a mask that is shown row by row. What lies outside the slide is background.
class Surface {
 public:
  /// Rows in rising order; those left out are background. Pixels are 0 or 1.
  void row(std::int64_t y, const std::uint8_t* pixels, std::int64_t width);
  /// After the last row.
  void finish();
  const std::vector<Element>& elements() const noexcept { return elements_; }

 private:
  void corners(std::int64_t y, const std::uint8_t* above, const std::uint8_t* below);

  std::vector<std::uint8_t> above_;  ///< the row before, with a 0 on either side; empty before the first
  std::vector<std::uint8_t> below_;
  std::int64_t last_ = -2;  ///< its number
  bool any_ = false;        ///< it has a pixel that is not 0
  std::vector<Element> elements_;
};

/// From an element to the nearest one of another outline, in pixels.
struct Distance {
  double pixels = 0;
  double length = 0;  ///< of the element
};

/// For each element of `from`, the distance to the nearest of `to`, by rising distance. Empty when either is.
std::vector<Distance> distances(const std::vector<Element>& from, const std::vector<Element>& to);

}  // namespace outlines
