// Between row-major pixels and runs down the columns, without a transpose: what counts is where neighbours above and
// below differ, and a labelled slide has few such places.
#include <algorithm>
#include <cstring>
#include <iterator>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>
#include <nephron/rle.hpp>

namespace nephron {

namespace {

struct Place {
  std::int32_t x = 0;
  std::int32_t y = 0;
};

/// Stable sort by one coordinate in [0, n): the places come ordered by the other.
template <std::int32_t Place::*key>
std::vector<Place> sorted_by(const std::vector<Place>& places, std::int64_t n) {
  std::vector<std::size_t> next(static_cast<std::size_t>(n) + 1);
  for (const Place& p : places) ++next[static_cast<std::size_t>(p.*key) + 1];
  for (std::size_t i = 1; i < next.size(); ++i) next[i] += next[i - 1];
  std::vector<Place> out(places.size());
  for (const Place& p : places) out[next[static_cast<std::size_t>(p.*key)]++] = p;
  return out;
}

template <class T>
void add_pixels(const T* above, const T* row, std::int64_t x0, std::int64_t x1, std::int64_t y, T bits,
                std::vector<Place>& out) {
  for (std::int64_t x = x0; x < x1; ++x)
    if (((above[x] & bits) != 0) != ((row[x] & bits) != 0))
      out.push_back({static_cast<std::int32_t>(x), static_cast<std::int32_t>(y)});
}

/// Adds the places of row y where it differs from the row above. The C library compares with the widest instructions
/// that the processor has; most of a row is passed over by it, first in large steps, then in small ones.
template <class T>
void add_changes(const T* above, const T* row, std::int64_t width, std::int64_t y, T bits, std::vector<Place>& out) {
  constexpr std::int64_t large = 1024, small = 64;
  for (std::int64_t x0 = 0; x0 < width; x0 += large) {
    const std::int64_t x1 = std::min(x0 + large, width);
    if (std::memcmp(above + x0, row + x0, sizeof(T) * static_cast<std::size_t>(x1 - x0)) == 0) continue;
    for (std::int64_t x = x0; x < x1; x += small) {
      const std::int64_t end = std::min(x + small, x1);
      if (std::memcmp(above + x, row + x, sizeof(T) * static_cast<std::size_t>(end - x)) != 0)
        add_pixels(above, row, x, end, y, bits, out);
    }
  }
}

void require_mask(const ImageView& mask, bool wide) {
  constexpr std::int64_t most = std::int64_t{1} << 31;
  const bool depth = wide ? is_label_depth(mask.depth) : mask.depth == Depth::u8;
  if (mask.channels != 1 || !depth || mask.width >= most || mask.height >= most)
    throw Error("run lengths stand for a mask of one " +
                std::string(wide ? "channel of u8, u16 or u32" : "u8 channel") +
                ", with sides below 2^31 px; this picture has " + std::to_string(mask.channels) + " channels of " +
                std::to_string(bytes_of(mask.depth)) + " bytes, " + std::to_string(mask.width) + " x " +
                std::to_string(mask.height) + " px");
}

}  // namespace

namespace {

/// Where pixels down the columns begin to have any of the bits, or to have none: by rows.
template <class T>
std::vector<Place> changes_of(const ImageView& mask, T bits) {
  std::vector<Place> changes;
  const std::int64_t W = mask.width, H = mask.height;
  // Above a column stands the foot of the column to its left: runs go on from one to the next.
  const auto* top = mask.row<const T>(0);
  const auto* foot = mask.row<const T>(H - 1);
  for (std::int64_t x = 0; x < W; ++x)
    if (((top[x] & bits) != 0) != (x > 0 && (foot[x - 1] & bits) != 0))
      changes.push_back({static_cast<std::int32_t>(x), 0});
  for (std::int64_t y = 1; y < H; ++y) add_changes(mask.row<const T>(y - 1), mask.row<const T>(y), W, y, bits, changes);
  return changes;
}

}  // namespace

Runs encode_rle(const ImageView& mask, std::uint32_t bits) {
  Runs runs;
  if (mask.empty()) return runs;
  require_mask(mask, /*wide=*/true);
  const std::int64_t W = mask.width, H = mask.height;
  std::vector<Place> changes =
      with_label_type(mask.depth, [&](auto zero) { return changes_of(mask, static_cast<decltype(zero)>(bits)); });
  changes = sorted_by<&Place::x>(changes, W);
  runs.reserve(changes.size() / 2 + 1);
  for (std::size_t i = 0; i < changes.size(); i += 2) {
    const std::int64_t start = changes[i].x * H + changes[i].y;
    const std::int64_t end = i + 1 < changes.size() ? changes[i + 1].x * H + changes[i + 1].y : W * H;
    runs.push_back({start, end - start});
  }
  return runs;
}

void decode_rle(std::span<const Run> runs, const ImageView& mask, std::uint8_t value) {
  if (mask.empty()) return;
  require_mask(mask, /*wide=*/false);
  const std::int64_t W = mask.width, H = mask.height;
  require_valid(runs, mask.size().area());
  std::vector<std::uint8_t> row(static_cast<std::size_t>(W));  // what the row above looks like
  std::vector<Place> changes;
  changes.reserve(runs.size() * 2);
  for (const Run& run : runs) {
    const std::int64_t first = run.start / H, last = (run.end() - 1) / H;
    changes.push_back({static_cast<std::int32_t>(first), static_cast<std::int32_t>(run.start % H)});
    for (std::int64_t x = first + 1; x <= last; ++x) changes.push_back({static_cast<std::int32_t>(x), 0});
    const std::int64_t stop = (run.end() - 1) % H + 1;
    if (stop < H) changes.push_back({static_cast<std::int32_t>(last), static_cast<std::int32_t>(stop)});
  }
  changes = sorted_by<&Place::y>(changes, H);
  auto next = changes.begin();
  for (std::int64_t y = 0; y < H; ++y) {
    for (; next != changes.end() && next->y == y; ++next) row[static_cast<std::size_t>(next->x)] ^= value;
    std::memcpy(mask.row<std::uint8_t>(y), row.data(), row.size());
  }
}

Runs turned(std::span<const Run> runs, Size mask, bool to_rows) {
  require_valid(runs, mask.empty() ? 0 : mask.area());
  const Runs joined = normalised({runs.begin(), runs.end()});
  const std::int64_t along = to_rows ? mask.height : mask.width;  // length of the lines that runs follow now
  const std::int64_t lines = to_rows ? mask.width : mask.height;
  std::vector<std::int64_t> before, here, differing;  // where a line's stretches begin and end
  std::vector<std::int64_t> changes;                  // where pixels in the other order begin to be, or not to be, set
  auto next = joined.begin();
  for (std::int64_t line = 0; line <= lines; ++line) {
    const std::int64_t begin = line * along, end = begin + along;
    here.clear();
    for (; line < lines && next != joined.end() && next->start < end; ++next) {
      here.push_back(std::max(next->start, begin) - begin);
      here.push_back(std::min(next->end(), end) - begin);
      if (next->end() > end) break;
    }
    if (here.size() > 1 && here.back() == here[here.size() - 2]) here.resize(here.size() - 2);
    differing.clear();
    std::set_symmetric_difference(before.begin(), before.end(), here.begin(), here.end(),
                                  std::back_inserter(differing));
    for (std::size_t i = 0; i < differing.size(); i += 2)
      for (std::int64_t at = differing[i]; at < differing[i + 1]; ++at) changes.push_back(at * lines + line);
    std::swap(before, here);
  }
  std::sort(changes.begin(), changes.end());
  Runs out;
  for (std::size_t i = 0; i < changes.size(); i += 2) out.push_back({changes[i], changes[i + 1] - changes[i]});
  return normalised(std::move(out));
}

}  // namespace nephron
