#pragma once

#include <cstdint>
#include <span>

#include <nephron/export.hpp>
#include <nephron/geometry.hpp>
#include <nephron/image.hpp>
#include <nephron/rle.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// Where a dataset puts a slide's annotation; the host rasterises it and keeps no pointer. Classes are indices into
/// the experiment's `classes`. Calls in any number and order, from one thread; labels are joined (bits are set).
///
/// Where nobody has looked, or nobody can tell, an annotation says that pixels are ignored: polygon() and runs() with
/// `ignored` in place of a class, or ignore(). They count in no loss and in no figure, whatever label they have
/// besides.
class NEPHRON_API AnnotationSink {
 public:
  /// In place of a class index: not annotated here.
  static constexpr int ignored = -1;
  virtual ~AnnotationSink();
  /// One object. Coordinates may be fractional and may leave the slide.
  virtual void polygon(int class_index, const Polygon& polygon) = 0;
  /// Labels of `region` (level-0 pixels): one channel of u8, u16 or u32, one bit a class, size equal to the region's.
  /// Whatever is wide enough will do: <nephron/label_pixels.hpp>.
  virtual void mask(const Region& region, const ImageView& labels) = 0;
  /// Runs of the whole slide, in any order; column_major counts down the columns, as Kaggle does.
  virtual void runs(int class_index, std::span<const Run> runs, bool column_major) = 0;
  /// Probabilities in [0, 1] of `region`: f32, one channel. They become soft targets.
  virtual void probability(int class_index, const Region& region, const ImageView& map) = 0;
  /// Pixels of `region` that are ignored: u8, one channel, anything but 0.
  virtual void ignore(const Region& region, const ImageView& pixels) = 0;
};

/// How label bits become one target channel: 1 where any bit of `any_of` is set and none of `none_of`.
struct ChannelRule {
  std::uint32_t any_of = 1;
  std::uint32_t none_of = 0;
  float weight = 1;  ///< of this channel in the loss of this dataset's samples; 0 switches it off
  Room room{};
};

}  // namespace nephron
