#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <nephron/export.hpp>
#include <nephron/rle.hpp>

namespace nephron {

/// COCO's run lengths: counts of zeros, ones, zeros, ... down the columns, which add up to the mask's `pixels`. Throws
/// Error that begins with `where` and names the count that is negative or leaves the mask.
NEPHRON_API Runs runs_of_coco_counts(std::span<const std::int64_t> counts, std::int64_t pixels, std::string_view where);

/// The same as compressed text: differences from the count before last, five bits a character.
NEPHRON_API Runs parse_coco_rle(std::string_view text, std::int64_t pixels, std::string_view where);
/// The inverse of parse_coco_rle().
NEPHRON_API std::string coco_rle_text(std::span<const Run> runs, std::int64_t pixels);

}  // namespace nephron
