#pragma once

#include <cstdint>
#include <vector>

#include <nephron/image.hpp>

#include <host/store/area_rows.hpp>
#include <host/store/reduction.hpp>

namespace nephron::host {

/// A slide at 1/reduction by area means, a part at a time: every part is bit-equal to the same part of OpenCV's
/// cv::resize(whole, INTER_AREA) to (W / reduction, H / reduction), rounded down, whatever the sides of the slide.
///
/// Where both sides are multiples of the reduced ones a pixel is the rounded mean of a block of whole pixels: factor x
/// factor of them, or more along a side so short that the rest makes blocks longer (5 px by factor 4 are one block of
/// 5). Otherwise, and where the reduction is no whole number, OpenCV stretches the side over its whole length: a pixel
/// is a weighted mean of up to (reduction + 2)^2. Immutable; calls are thread-safe.
class AreaReduction {
 public:
  static constexpr int largest_factor = Reduction::largest;
  /// Throws Error for a slide smaller than the reduction, and for a factor beyond 1 to largest_factor.
  AreaReduction(Size full, Reduction reduction);

  Reduction reduction() const noexcept { return reduction_; }
  Size size() const noexcept { return size_; }
  /// The level-0 pixels that a part of the reduced picture is made of.
  Region source_of(const Region& part) const;
  /// Fills `out` (u8 RGB, the size of `part`) from `source`, the pixels of `region`, which holds source_of(part).
  void reduce(const ImageView& source, const Region& region, const Region& part, const ImageView& out) const;

 private:
  /// One axis of the weighted mean: pixel i is the sum of weights[first_weight + k] * source[first + k].
  struct Taps {
    std::int64_t first = 0;
    std::int32_t count = 0;
    std::uint32_t first_weight = 0;
  };
  struct Axis {
    std::vector<Taps> taps;
    std::vector<float> weights;
  };
  static Axis weighted_axis(std::int64_t full, std::int64_t reduced, double scale);
  void reduce_exact(const ImageView& source, const Region& region, const Region& part, const ImageView& out) const;
  void reduce_weighted(const ImageView& source, const Region& region, const Region& part, const ImageView& out) const;

  Size full_, size_;
  Reduction reduction_;
  bool exact_;   ///< means of blocks
  Block block_;  ///< of these alone
  Axis x_, y_;   ///< of the weighted mean alone
};

}  // namespace nephron::host
