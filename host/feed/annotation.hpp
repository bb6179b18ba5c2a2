#pragma once

#include <map>
#include <string>

#include <nephron/labels.hpp>

namespace nephron::host {

/// Draws the annotation of one slide at level 0, then reduces it.
///
/// Polygons are filled as OpenCV's fillPoly does, on vertices truncated to whole pixels, boundary included, holes kept.
class Rasteriser final : public AnnotationSink {
 public:
  Rasteriser(Size slide, int classes);
  ~Rasteriser() override;

  void polygon(int class_index, const Polygon& polygon) override;
  void mask(const Region& region, const ImageView& labels) override;
  void runs(int class_index, std::span<const Run> runs, bool column_major) override;
  void probability(int class_index, const Region& region, const ImageView& map) override;

  /// Labels at `size` (nearest neighbour, as the reference); empty when nothing was drawn. A pixel whose probability
  /// exceeds one half has its bit set, so that look-ups and counts see soft classes too.
  Image labels(Size size) const;
  /// Probabilities 0..255 of the classes that were given as such, at `size`.
  std::map<int, Image> soft(Size size) const;

 private:
  const ImageView& canvas();
  void check_class(int class_index) const;
  void check_map(const Region& region, const ImageView& map, Depth depth, const std::string& what) const;

  Size slide_;
  int classes_;
  Image labels_;
  std::map<int, Image> soft_;
};

}  // namespace nephron::host
