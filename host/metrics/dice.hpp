#pragma once

#include <cstdint>
#include <span>

namespace nephron::host {

/// Pixels of a prediction, of the truth, and of both. Overlaps of parts of a picture add up to that of the whole.
struct Overlap {
  std::int64_t both = 0;
  std::int64_t predicted = 0;
  std::int64_t truth = 0;

  Overlap& operator+=(const Overlap& other) noexcept;
  /// (2 both + 1e-8) / (predicted + truth + 1e-8): 1 where both are empty.
  double dice() const noexcept;
};

/// Counts of two masks of equal length; nonzero is foreground. Pixels where `ignored` is not 0 are left out; it may be
/// empty: all count. Throws Error when the lengths differ.
Overlap overlap_of(std::span<const std::uint8_t> predicted, std::span<const std::uint8_t> truth,
                   std::span<const std::uint8_t> ignored = {});

/// Mean and deviation (of the population) of a list; 0 for an empty one.
struct Spread {
  double mean = 0;
  double deviation = 0;
};
Spread spread_of(std::span<const double> values) noexcept;

}  // namespace nephron::host
