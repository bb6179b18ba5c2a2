#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/image.hpp>

namespace nephron {

/// Pixels [start, start + length) of a mask, counted from 0 down its columns (as Kaggle does) or along its rows.
/// Closed: a mask has millions.
struct Run {
  std::int64_t start = 0;
  std::int64_t length = 0;
  std::int64_t end() const noexcept { return start + length; }
  auto operator<=>(const Run&) const = default;
};

/// Sorted by start, without overlap; every length is at least 1. What this header's functions return, and what they
/// expect unless they say otherwise.
using Runs = std::vector<Run>;

/// Reads "start length start length ...", counted from 1, as Kaggle writes it. Nothing, blanks and "nan" are an empty
/// mask. `mask`: size that the runs must fit in; an empty one sets no limit. Throws Error that begins with `where`
/// (such as "train.csv:12") and names the run: a word that is no whole number, a length without a start, a start or
/// length below 1, a run out of order, over its neighbour or outside the mask.
NEPHRON_API Runs parse_rle(std::string_view text, Size mask = {}, std::string_view where = {});
/// The inverse of parse_rle(): counted from 1, separated by single blanks; empty for no runs.
NEPHRON_API std::string rle_text(std::span<const Run> runs);

/// Sorts, drops runs of no length, joins those that overlap or touch. Takes any runs.
NEPHRON_API Runs normalised(Runs runs);
/// Throws Error when runs are out of order, overlap or leave a mask of `pixels` pixels.
NEPHRON_API void require_valid(std::span<const Run> runs, std::int64_t pixels, std::string_view where = {});

/// Runs down the columns of a row-major mask (one channel of u8, u16 or u32): pixels with any of `bits`.
NEPHRON_API Runs encode_rle(const ImageView& mask, std::uint32_t bits = ~std::uint32_t{0});
/// Writes every pixel of a row-major mask (one u8 channel): `value` where runs (down the columns) are, otherwise 0.
/// Throws Error when the runs do not fit.
NEPHRON_API void decode_rle(std::span<const Run> runs, const ImageView& mask, std::uint8_t value = 1);
/// The same runs counted along the rows, or back: `mask` is the size of the mask, `to_rows` the direction.
NEPHRON_API Runs turned(std::span<const Run> runs, Size mask, bool to_rows);

NEPHRON_API std::int64_t area_of(std::span<const Run> runs) noexcept;
NEPHRON_API Runs union_of(std::span<const Run> a, std::span<const Run> b);
NEPHRON_API Runs intersection_of(std::span<const Run> a, std::span<const Run> b);
/// Pixels that both have, without making their runs.
NEPHRON_API std::int64_t common_area(std::span<const Run> a, std::span<const Run> b) noexcept;
/// (2 |A and B| + eps) / (|A| + |B| + eps); 1 for two empty masks.
NEPHRON_API double dice(std::span<const Run> a, std::span<const Run> b, double eps = 1e-8) noexcept;

}  // namespace nephron
