#pragma once

namespace nephron::host {

/// Both ends belong to it; infinite where nothing bounds it.
struct Interval {
  double low = 0, high = 0;
  bool holds(double value) const noexcept { return low <= value && value <= high; }
  double width() const noexcept { return high - low; }
};

}  // namespace nephron::host
