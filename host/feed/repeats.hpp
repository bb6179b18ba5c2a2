#pragma once

#include <vector>

#include <host/feed/sample_number.hpp>

namespace nephron::host {

/// Windows that come again in an epoch: they take a share of its samples, spread evenly over its batches, one after the
/// other and round and round. Each is named by the sample that it was drawn for.
struct Repeats {
  double share = 0;  ///< below 1
  std::vector<SampleNumber> windows;
  /// Whose window that sample has: its own, or one that comes again.
  SampleNumber window_of(const SampleNumber& sample) const noexcept;
};

}  // namespace nephron::host
