#include <host/labels/column_runs.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace nephron::host {

void ColumnRuns::add(const ImageView& rows) {
  for (std::int64_t y = 0; y < rows.height; ++y) add_row(rows.row<const std::uint8_t>(y));
}

void ColumnRuns::add_row(const std::uint8_t* row) {
  const auto width = static_cast<std::size_t>(mask_.width);
  last_.resize(width), now_.resize(width);
  for (std::size_t x = 0; x < width; ++x) now_[x] = row[x] != 0 ? 255 : 0;
  for (std::size_t x = 0; x < width; ++x) {
    constexpr std::size_t eight = sizeof(std::uint64_t);
    if (std::uint64_t a = 0, b = 0; x + eight <= width) {  // most columns go on as they were
      std::memcpy(&a, &last_[x], eight), std::memcpy(&b, &now_[x], eight);
      if (a == b) {
        x += eight - 1;
        continue;
      }
    }
    if (now_[x] == last_[x]) continue;
    if (now_[x] != 0) open_[x] = rows_;
    else
      runs_.push_back({static_cast<std::int64_t>(x) * mask_.height + open_[x], rows_ - std::exchange(open_[x], none)});
  }
  last_.swap(now_);
  ++rows_;
}

Runs ColumnRuns::finish() {
  for (std::size_t x = 0; x < open_.size(); ++x)
    if (open_[x] != none) runs_.push_back({static_cast<std::int64_t>(x) * mask_.height + open_[x], rows_ - open_[x]});
  // A run that ends at the bottom is joined with one that begins at the top of the next column.
  return normalised(std::move(runs_));
}

}  // namespace nephron::host
