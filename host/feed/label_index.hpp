#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <nephron/image.hpp>

namespace nephron::host {

/// Answers "is there a label in this region" in constant time: sums over blocks of 16 x 16 px for what lies inside,
/// a look at the pixels only in blocks that the region's edge cuts and that hold a label. A table of sums a pixel
/// would take four bytes a pixel and class; this takes a sixty-fourth of one.
class LabelIndex {
 public:
  LabelIndex() = default;
  /// `labels`: one u8 channel, one bit a class; must outlive the index.
  LabelIndex(const ImageView& labels, int classes);

  bool any(const Region& region, std::uint8_t classes) const;
  /// Pixels of each class.
  const std::vector<std::int64_t>& counts() const noexcept { return counts_; }

 private:
  static constexpr std::int64_t block = 16;
  bool any_pixel(const Region& region, std::uint8_t classes) const;
  bool any_in_blocks(const Region& blocks, std::uint8_t classes) const;
  bool any_on_edge(const Region& region, const Region& blocks, std::uint8_t classes) const;

  ImageView labels_;
  std::int64_t across_ = 0, down_ = 0;
  std::vector<std::uint8_t> present_;             ///< union of the bits of a block
  std::vector<std::vector<std::uint32_t>> sums_;  ///< a class: blocks with it above and left, (across + 1)(down + 1)
  std::vector<std::int64_t> counts_;
};

}  // namespace nephron::host
