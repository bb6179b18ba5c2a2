#include <host/labels/row_runs.hpp>

#include <algorithm>

namespace nephron::host {

RowRuns::RowRuns(Runs runs, Size slide) : runs_(std::move(runs)), width_(slide.width) {
  if (runs_.empty()) return;
  std::int64_t left = slide.width, right = 0;
  for (const Run& run : runs_) {
    const bool one_row = run.start / width_ == (run.end() - 1) / width_;
    left = std::min(left, one_row ? run.start % width_ : 0);
    right = std::max(right, one_row ? (run.end() - 1) % width_ + 1 : width_);
  }
  const std::int64_t top = runs_.front().start / width_, bottom = (runs_.back().end() - 1) / width_ + 1;
  box_ = {left, top, right - left, bottom - top};
}

bool RowRuns::any_in(const Region& region) const noexcept {
  for (std::int64_t y = region.y; y < region.y + region.height; ++y) {
    const auto run = at_or_after(y * width_ + region.x);
    if (run == runs_.end()) return false;
    if (run->start < y * width_ + region.x + region.width) return true;
  }
  return false;
}

Runs::const_iterator RowRuns::at_or_after(std::int64_t pixel) const noexcept {
  return std::partition_point(runs_.begin(), runs_.end(), [pixel](const Run& run) { return run.end() <= pixel; });
}

}  // namespace nephron::host
