#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <nephron/geometry.hpp>
#include <nephron/rle.hpp>

namespace nephron::host {

/// Runs along the rows of a slide, with the rectangle that they lie in.
class RowRuns {
 public:
  RowRuns(Runs runs, Size slide);
  const Region& box() const noexcept { return box_; }
  bool empty() const noexcept { return runs_.empty(); }

  /// True when a run lies in the region.
  bool any_in(const Region& region) const noexcept;
  /// Calls visit(first, last) with the pixels of each run in columns [first, last] of a row.
  template <class F>
  void for_row(std::int64_t row, std::int64_t first, std::int64_t last, F&& visit) const {
    const std::int64_t origin = row * width_;
    for (auto run = at_or_after(origin + first); run != runs_.end() && run->start <= origin + last; ++run)
      visit(std::max(run->start - origin, first), std::min(run->end() - 1 - origin, last));
  }

 private:
  /// The first run that ends behind a pixel.
  Runs::const_iterator at_or_after(std::int64_t pixel) const noexcept;

  Runs runs_;
  std::int64_t width_ = 0;
  Region box_;
};

}  // namespace nephron::host
