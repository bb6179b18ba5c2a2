#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include <host/feed/plan.hpp>
#include <host/feed/position_bodies.hpp>
#include <host/feed/warp_rows.hpp>

namespace nephron::host {

/// Neighbouring geometric steps as one map, from pixels of their result to places in the picture before them: pixels
/// are interpolated once, not once a step. Where a step reads beyond the edge of the picture between it and the one
/// before, its border says what is there: the mirrored picture, or black.
class JoinedMaps {
 public:
  /// The steps must live until the last row is made.
  void set(std::span<const Step> steps, Size picture);
  /// Whether the first step, which reads the picture itself, mirrors it at its edge.
  bool reflects() const noexcept { return edges_.back().reflect; }
  /// The last step's first, and the edge of the picture that each reads.
  const std::vector<std::variant<AffinePosition, GridPosition>>& maps() const noexcept { return maps_; }
  const std::vector<EdgePosition>& edges() const noexcept { return edges_; }

  /// Makes row `y` of the result, `width` pixels from `x` on.
  void make_row(std::int64_t x, std::int64_t y, std::int64_t width);
  /// Its places, in whole numbers of `unit` a pixel.
  void places(float unit, PlaceRow& to) const;
  /// Those of its pixels, counted from 0 and in order, that are black whatever they read.
  const std::vector<std::int32_t>& black() const noexcept { return black_; }
  /// Then places() says nothing.
  bool all_black() const noexcept { return black_.size() == x_.size(); }

 private:
  void add(const FlipStep& step, Size picture);
  void add(const AffineStep& step, Size picture);
  void add(const DisplacementStep& step, Size picture);
  void begin(const AffinePosition& map, std::int64_t x, std::int64_t y);
  void begin(const GridPosition& grid, std::int64_t x, std::int64_t y);
  void stay_inside(const EdgePosition& edge);

  std::vector<std::variant<AffinePosition, GridPosition>> maps_;  ///< the last step's first
  std::vector<EdgePosition> edges_;                               ///< of the picture that each map reads
  std::vector<float> x_, y_, nodes_;
  std::vector<std::int32_t> black_;
};

}  // namespace nephron::host
