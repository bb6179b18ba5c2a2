#pragma once

#include <cstdint>
#include <vector>

namespace nephron::host {

/// One axis of a reduction by nearest neighbour: which of `full` pixels each of a window's pixels takes, as OpenCV's
/// INTER_NEAREST chooses them when it resizes the whole axis to `reduced` pixels.
class NearestAxis {
 public:
  NearestAxis(std::int64_t full, std::int64_t reduced, std::int64_t first, std::int64_t count);

  std::int64_t count() const noexcept { return static_cast<std::int64_t>(source_.size()); }
  std::int64_t source(std::int64_t i) const noexcept { return source_[static_cast<std::size_t>(i)]; }
  std::int64_t front() const noexcept { return source_.front(); }
  std::int64_t back() const noexcept { return source_.back(); }
  /// The first pixel of the window that takes source pixel `s` or a later one; count() when there is none.
  std::int64_t at_or_after(std::int64_t s) const noexcept {
    if (s <= front()) return 0;
    return s > back() ? count() : after_[static_cast<std::size_t>(s - front())];
  }

 private:
  std::vector<std::int64_t> source_;
  std::vector<std::int32_t> after_;  ///< a source pixel from front() on
};

}  // namespace nephron::host
