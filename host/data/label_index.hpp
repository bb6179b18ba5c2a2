#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <nephron/image.hpp>
#include <nephron/sampler.hpp>

namespace nephron::host {

/// Answers "is there a label in this region" in constant time: sums over blocks of 16 x 16 px for what lies inside,
/// a look at the pixels only in blocks that the region's edge cuts and that hold a label. A table of sums a pixel
/// would take four bytes a pixel and class; this takes a sixty-fourth of one, and as much again for all classes. Const
/// calls are thread-safe.
class LabelIndex {
 public:
  static constexpr std::int64_t block = 16;
  /// How the pixels of a region, which lies inside the map, are looked at.
  struct Pixels {
    std::function<bool(const Region& region, std::uint32_t bits)> any;  ///< does one have one of the bits?
    std::function<Image(const Region& region)> read;
  };

  LabelIndex() = default;
  /// `labels`: one bit a class, and one more of what is ignored; u8, u16 or u32. It must outlive the index.
  LabelIndex(const ImageView& labels, int classes);
  /// Of a map of `size` px whose presence is known: the union of the bits of each block, row by row. The sums are made
  /// at the first question, so that a slide that is only opened costs nothing.
  LabelIndex(Size size, std::vector<std::uint32_t> presence, int classes, Pixels pixels);

  bool any(const Region& region, std::uint32_t wanted) const;
  /// A pixel of a class, each as likely as the others; nothing when there is none: any of the blocks that hold the
  /// class, any of its pixels, and again until one has it.
  std::optional<Pixel> draw(std::size_t class_index, Rng& rng) const;
  /// Pixels of a region that have one of the classes. Blocks are counted at the first question for a set of classes.
  std::int64_t count(const Region& region, std::uint32_t wanted) const;
  /// Boxes of the parts of a class that hang together, by their first rows; found at the first question, in the blocks
  /// that hold the class.
  const std::vector<Region>& objects(std::size_t class_index) const;
  /// Pixels of each class; empty when only presence was given.
  const std::vector<std::int64_t>& counts() const noexcept { return counts_; }
  /// Pixels with the bit after the last class; 0 when only presence was given.
  std::int64_t ignored() const noexcept { return ignored_; }

 private:
  struct Sums;  ///< a class: blocks with it above and left, (across + 1)(down + 1)
  void make_sums() const;
  struct Objects;
  struct Counts;  ///< a set of classes: their pixels above and left, by blocks
  const std::vector<std::int64_t>& counts_of(std::uint32_t classes) const;
  std::vector<std::int64_t> count_blocks(std::uint32_t classes) const;
  std::vector<Region> find_objects(std::uint32_t bit) const;
  /// Block number `n` of those that hold a class, of which there are more.
  Pixel block_of(std::size_t class_index, std::int64_t n) const;
  std::int64_t blocks_with(std::size_t class_index) const;
  bool any_in_blocks(const Region& blocks, std::uint32_t classes) const;
  /// Visits what a region holds of blocks that have one of the classes and are not among `blocks`, until a visit gives
  /// true.
  template <class Visit>
  bool any_on_edge(const Region& region, const Region& blocks, std::uint32_t classes, const Visit& visit) const;
  struct Strip;  ///< pixels of blocks side by side
  std::vector<Strip> strips(std::int64_t row, std::uint32_t bits) const;

  Size size_;
  int classes_ = 0;
  std::int64_t across_ = 0, down_ = 0;
  std::vector<std::uint32_t> present_;  ///< union of the bits of a block
  Pixels pixels_;
  std::shared_ptr<Sums> sums_;
  std::shared_ptr<Objects> objects_;
  std::shared_ptr<Counts> block_counts_;
  std::vector<std::int64_t> counts_;
  std::int64_t ignored_ = 0;
};

}  // namespace nephron::host
