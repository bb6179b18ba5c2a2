#pragma once

#include <cstdint>
#include <vector>

#include <host/store/tissue.hpp>

namespace nephron::host {

/// Answers how much of a region is tissue, in constant time: sums over the blocks of the tissue's small picture. What
/// the region's edge cuts of a block counts by its area.
class TissueIndex {
 public:
  TissueIndex() = default;
  /// Of a level of this size. Throws Error when the small picture is not of it.
  TissueIndex(const Tissue& tissue, Size level);

  /// Pixels of the level.
  std::int64_t pixels(const Region& region) const;

 private:
  /// Pixels of tissue above and left of a corner.
  std::int64_t before(std::int64_t x, std::int64_t y) const;

  Size level_;
  std::int64_t block_ = 1, across_ = 0;
  std::vector<std::int32_t> sums_;  ///< blocks above and left, (across + 1)(down + 1)
};

}  // namespace nephron::host
