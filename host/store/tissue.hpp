#pragma once

#include <nephron/image.hpp>

namespace nephron::host {

/// Where a slide is not glass: Otsu's threshold on the saturation of the slide at low resolution, one pixel a block.
struct Tissue {
  int block = 1;      ///< side of a block, in pixels of the level that the small picture was made from
  int threshold = 0;  ///< saturation above which a block is tissue, 0..255
  Image mask;         ///< u8, 0 or 255

  /// Blocks of tissue, as pixels of the level, which has this size.
  std::int64_t pixels(Size level) const;
};

/// The small picture of a level, filled block by block by several threads.
class SmallPicture {
 public:
  /// A power of two up to 256, so that the longer side has at most 1024 blocks.
  explicit SmallPicture(Size level);
  int block() const noexcept { return block_; }
  /// `pixels`: a part of the level that begins at `at`, a multiple of the block. Blocks at its far edges may be cut.
  void add(const ImageView& pixels, std::int64_t x, std::int64_t y);
  Tissue tissue() const;

 private:
  void mean_of(const ImageView& pixels, std::int64_t left, std::int64_t top, std::int64_t height,
               std::uint8_t* to) const;

  int block_ = 1;
  Image means_;  // RGB
};

/// Of a level that is held in memory: what the store keeps of it.
Tissue tissue_of(const ImageView& level);

}  // namespace nephron::host
