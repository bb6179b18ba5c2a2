#pragma once

#include <map>
#include <memory>

#include <nephron/labels.hpp>

#include <host/store/reduction.hpp>

namespace nephron::host {

/// Takes the annotation of one slide and paints any window of its label map, at any reduction, without ever holding the
/// map. What is painted is equal, pixel by pixel, to drawing the whole slide and reducing it:
///
/// - polygons as OpenCV's fillPoly on a picture of the slide's size, vertices truncated to whole pixels, boundary
///   included, holes kept (their boundary belongs to the object);
/// - reduced labels as cv::resize(whole, (W // reduction, H // reduction), INTER_NEAREST);
/// - probabilities, 0..255, as the same with INTER_AREA. Where one exceeds 1/2 the class's bit is set too;
/// - ignored pixels have the bit after the last class, and no other.
///
/// Fill it from one thread; after that every const call is thread-safe. Memory: vertices, runs, and the parts of
/// probability maps that are not empty.
class LabelPainter final : public AnnotationSink {
 public:
  /// `reference_compat`: fill as the reference pipeline does, all rings of a polygon joined into one.
  LabelPainter(Size slide, int classes, bool reference_compat = false);
  ~LabelPainter() override;
  LabelPainter(LabelPainter&&) noexcept;
  LabelPainter& operator=(LabelPainter&&) noexcept;

  void polygon(int class_index, const Polygon& polygon) override;
  void mask(const Region& region, const ImageView& labels) override;
  void runs(int class_index, std::span<const Run> runs, bool column_major) override;
  void probability(int class_index, const Region& region, const ImageView& map) override;
  void ignore(const Region& region, const ImageView& pixels) override;

  Size slide() const noexcept;
  int classes() const noexcept;
  /// Size of the reduced label map.
  Size size(Reduction reduction) const;
  /// The least depth of paint(): a bit a class, and one when something is ignored.
  Depth depth() const noexcept;
  /// True when pixels were given that are ignored.
  bool ignores() const noexcept;
  /// True when nothing was given.
  bool empty() const noexcept;
  /// Level-0 pixels that all labels lie in; 0 x 0 when there are none.
  Region box() const noexcept;
  /// False when a window (pixels of the reduced map) is surely without labels; looks at outlines only.
  bool touches(Reduction reduction, const Region& window) const;
  /// Writes every pixel of `labels`: one channel of depth() or wider, one bit a class and one of ignored pixels, the
  /// window's size. The window lies inside the reduced map. Throws Error when it does not.
  void paint(Reduction reduction, const Region& window, const ImageView& labels) const;

  /// The whole map; empty() when nothing was given. For slides that are held in memory.
  Image labels(Reduction reduction) const;

  /// Classes that were given as probabilities, as a bit set.
  std::uint32_t soft_classes() const noexcept;
  /// Writes probabilities 0..255 of one of soft_classes().
  void paint_soft(int class_index, Reduction reduction, const Region& window, const ImageView& map) const;
  /// The whole maps of soft_classes().
  std::map<int, Image> soft(Reduction reduction) const;

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

}  // namespace nephron::host
