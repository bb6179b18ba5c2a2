#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <nephron/geometry.hpp>
#include <nephron/image.hpp>

namespace nephron::host {

/// Where the pixels of a prediction come from, at the level the model works on: a reduced picture, or a whole slide
/// that is read in parts. Used by one thread at a time.
class TileSource {
 public:
  virtual ~TileSource() = default;
  virtual Size size() const noexcept = 0;
  /// Fills `out` (u8 RGB, of the region's size). The region lies inside.
  virtual void read(const Region& region, const ImageView& out) const = 0;
  /// The digest of all its pixels, which prepared pictures have too; what was not read yet is read for it.
  virtual std::string digest() const = 0;
};

/// Where probabilities go, top to bottom. A whole slide needs no more memory than one band.
class ProbabilitySink {
 public:
  virtual ~ProbabilitySink() = default;
  /// Called once, before the first band: `size` of the source.
  virtual void begin(Size size, int classes) = 0;
  /// Rows from `y` on, one view a class (f32, one channel, as wide as the source). Bands follow each other without
  /// gaps.
  virtual void rows(std::int64_t y, std::span<const ImageView> classes) = 0;
};

/// Tiles that are given to a model together.
struct TileBatch {
  std::int64_t count = 0;
  Size size;                             ///< of each tile
  const std::uint8_t* images = nullptr;  ///< [count, height, width, 3]
  std::span<const Region> places = {};   ///< where each lies in its source; what reaches beyond is reflected
};

/// What makes probabilities of pixels: one trained model or several, with test-time augmentation.
class PixelModel {
 public:
  virtual ~PixelModel() = default;
  virtual int classes() const noexcept = 0;
  /// Sides of what it is given must be multiples of this.
  virtual std::int64_t multiple() const noexcept = 0;
  /// out: [count, classes, height, width] in [0, 1].
  virtual void run(const TileBatch& tiles, float* out) = 0;
};

}  // namespace nephron::host
