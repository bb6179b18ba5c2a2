#pragma once

#include <nephron/annotated_folder.hpp>
#include <nephron/augmentation.hpp>
#include <nephron/decoder.hpp>
#include <nephron/geojson.hpp>
#include <nephron/metric.hpp>
#include <nephron/metric_curves.hpp>
#include <nephron/sampler.hpp>
#include <nephron/slide_colours.hpp>
#include <nephron/slide_maker.hpp>

// Every type that has a Room. The test compares this list with the headers.
#define NEPHRON_GROWN_TYPES(F)                                                                                         \
  F(SlideInfo)                                                                                                         \
  F(SlideLevel)                                                                                                        \
  F(SlideHeader)                                                                                                       \
  F(ChannelRule)                                                                                                       \
  F(Window)                                                                                                            \
  F(CatalogSlide)                                                                                                      \
  F(Level)                                                                                                             \
  F(EncoderOptions) F(HeadSpec) F(FieldInfo) F(ComponentSpec) F(Diagnostic) F(TargetRule) F(ObjectRule)                \
      F(AnnotatedObject) F(SkippedFeature) F(AnnotatedObjects) F(AnnotatedFolderParams) F(AnnotatedFolder::Layout)     \
          F(SlideMaker::Request) F(SampleInfo) F(SampleView) F(SlideColours) F(MeasuredSlide) F(MeasuredRows)          \
              F(MeasuredObject) F(MeasuredObjects) F(MetricValue) F(MetricCurve)

namespace nephron {

/// Exported by copies.cpp, one a type: what a plugin does with values all day.
template <class T>
struct Copier {
  virtual ~Copier() = default;
  /// `count` copies that went through a vector which grew, a sort, moves and assignments.
  virtual std::vector<T> copies(const T& value, int count) const = 0;
  /// One of the plugin's own, with nothing of later versions.
  virtual T own() const = 0;
  virtual std::size_t size() const = 0;
};

}  // namespace nephron
