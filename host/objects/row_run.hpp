#pragma once

#include <compare>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace nephron::host {

/// Pixels [first, end) of row y. Small: a slide's objects have millions.
struct RowRun {
  std::int32_t y = 0;
  std::int32_t first = 0;
  std::int32_t end = 0;
  std::int64_t length() const noexcept { return std::int64_t{end} - first; }
  auto operator<=>(const RowRun&) const = default;
};

/// Calls visit(first, end) for each run of pixels with one of `bits`, from left to right.
template <class T, class Visit>
void for_each_run(const T* row, std::int64_t width, std::uint32_t bits, Visit&& visit) {
  for (std::int64_t x = 0; x < width;) {
    while (x < width && (row[x] & bits) == 0) ++x;
    const std::int64_t first = x;
    while (x < width && (row[x] & bits) != 0) ++x;
    if (x > first) visit(first, x);
  }
}

/// The same for bytes that are not 0, at the speed of memory where most are 0.
template <class Visit>
void for_each_run(const std::uint8_t* row, std::int64_t width, Visit&& visit) {
  constexpr std::int64_t block = 64;
  for (std::int64_t x = 0; x < width;) {
    for (; x + block <= width; x += block) {
      std::uint64_t words[block / 8], any = 0;
      std::memcpy(words, row + x, block);
      for (const std::uint64_t word : words) any |= word;
      if (any != 0) break;
    }
    while (x < width && row[x] == 0) ++x;
    if (x == width) return;
    const void* const stop = std::memchr(row + x, 0, static_cast<std::size_t>(width - x));
    const std::int64_t end = stop == nullptr ? width : static_cast<const std::uint8_t*>(stop) - row;
    visit(x, end);
    x = end;
  }
}

/// Runs of row y of a mask of bytes, in the place of what `out` holds.
inline void runs_of_row(const std::uint8_t* row, std::int64_t width, std::int64_t y, std::vector<RowRun>& out) {
  out.clear();
  for_each_run(row, width, [&](std::int64_t first, std::int64_t end) {
    out.push_back({static_cast<std::int32_t>(y), static_cast<std::int32_t>(first), static_cast<std::int32_t>(end)});
  });
}

/// Pixels that two lists of sorted runs have in common.
std::int64_t common_pixels(std::span<const RowRun> a, std::span<const RowRun> b) noexcept;

}  // namespace nephron::host
