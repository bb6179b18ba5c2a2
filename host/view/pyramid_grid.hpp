#pragma once

#include <cstdint>
#include <optional>

#include <nephron/geometry.hpp>

namespace nephron::host {

/// A slide cut for deep zoom: at depth d a pixel stands for 2^d x 2^d of level 0, and tiles have 256 pixels a side but
/// for the last ones of a row and a column.
class PyramidGrid {
 public:
  static constexpr std::int64_t side = 256;

  explicit PyramidGrid(Size slide) : slide_(slide) {
    while (deepest_ < 30 && (across(deepest_) > 1 || down(deepest_) > 1)) ++deepest_;
  }

  const Size& slide() const noexcept { return slide_; }
  /// The least depth at which the slide is one tile.
  int deepest() const noexcept { return deepest_; }
  std::int64_t across(int depth) const noexcept { return parts(slide_.width, side << depth); }
  std::int64_t down(int depth) const noexcept { return parts(slide_.height, side << depth); }

  struct Place {
    Region region;  ///< in level-0 pixels
    Size size;      ///< of the tile
  };
  /// Nothing when there is no such tile.
  std::optional<Place> place(std::int64_t depth, std::int64_t x, std::int64_t y) const noexcept {
    if (depth < 0 || depth > deepest_ || x < 0 || y < 0) return std::nullopt;
    const int d = static_cast<int>(depth);
    if (x >= across(d) || y >= down(d)) return std::nullopt;
    const std::int64_t pixels = side << d;
    const Region region = Region{x * pixels, y * pixels, pixels, pixels}.clipped({0, 0, slide_.width, slide_.height});
    return Place{region, {parts(region.width, std::int64_t{1} << d), parts(region.height, std::int64_t{1} << d)}};
  }

 private:
  static std::int64_t parts(std::int64_t length, std::int64_t of) noexcept { return (length + of - 1) / of; }

  Size slide_;
  int deepest_ = 0;
};

}  // namespace nephron::host
