#include <host/objects/holes.hpp>

#include <algorithm>
#include <iterator>

#include <host/objects/row_joiner.hpp>

namespace nephron::host {

namespace {

struct Gap {
  std::vector<RowRun> runs;
  std::int64_t pixels = 0;
  bool open = false;  ///< reaches the border of the box

  void add(std::int64_t y, std::int64_t first, std::int64_t end, bool on_border) {
    pixels += end - first;
    open = open || on_border;
    if (open) runs.clear();
    else
      runs.push_back({static_cast<std::int32_t>(y), static_cast<std::int32_t>(first), static_cast<std::int32_t>(end)});
  }
  void join(Gap&& other) {
    pixels += other.pixels;
    open = open || other.open;
    if (open) runs.clear();
    else runs.insert(runs.end(), other.runs.begin(), other.runs.end());
  }
};

}  // namespace

std::vector<RowRun> holes_of(std::span<const RowRun> object, const Region& box, std::int64_t most) {
  std::vector<RowRun> out;
  RowJoiner<Gap, Corners::apart> gaps;
  const auto close = [&](Gap&& gap) {
    if (!gap.open && gap.pixels <= most) out.insert(out.end(), gap.runs.begin(), gap.runs.end());
  };
  auto run = object.begin();
  for (std::int64_t y = box.y; y < box.y + box.height; ++y) {
    gaps.begin_row(y, close);
    const bool edge = y == box.y || y + 1 == box.y + box.height;
    std::int64_t x = box.x;
    for (; run != object.end() && run->y == y; ++run) {
      if (run->first > x) gaps.add(x, run->first, edge || x == box.x);
      x = run->end;
    }
    if (x < box.x + box.width) gaps.add(x, box.x + box.width, true);
  }
  gaps.finish(close);
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<RowRun> joined_runs(std::span<const RowRun> a, std::span<const RowRun> b) {
  std::vector<RowRun> merged, out;
  merged.reserve(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(merged));
  for (const RowRun& run : merged)
    if (!out.empty() && out.back().y == run.y && out.back().end == run.first) out.back().end = run.end;
    else out.push_back(run);
  return out;
}

std::int64_t common_pixels(std::span<const RowRun> a, std::span<const RowRun> b) noexcept {
  std::int64_t out = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (i->y == j->y) out += std::max(0, std::min(i->end, j->end) - std::max(i->first, j->first));
    const bool i_first = i->y != j->y ? i->y < j->y : i->end < j->end;
    ++(i_first ? i : j);
  }
  return out;
}

bool holds_pixel(std::span<const RowRun> runs, std::int64_t x, std::int64_t y) noexcept {
  const auto after = std::partition_point(
      runs.begin(), runs.end(), [&](const RowRun& run) { return run.y < y || (run.y == y && run.first <= x); });
  if (after == runs.begin()) return false;
  const RowRun& run = *std::prev(after);
  return run.y == y && x < run.end;
}

}  // namespace nephron::host
