#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <nephron/metric.hpp>
#include <nephron/metric_curves.hpp>

#include <host/metrics/dice.hpp>
#include <host/metrics/metric_set.hpp>
#include <host/metrics/object_comparison.hpp>

namespace nephron::host {

/// What was measured of one slide.
struct SlideMeasures {
  MeasuredSlide slide;
  std::vector<std::vector<MetricValue>> values;             ///< a metric each
  MeasuredObjects objects;                                  ///< empty where no metric and no table needs them
  std::vector<std::shared_ptr<const Measurement>> details;  ///< a metric each: what is added up
};

/// Rows to be measured, a view a class each; `predicted` may be empty. `ignored`: of all classes; an empty view: none
/// is.
MeasuredRows measured_rows(std::int64_t y, std::span<const ImageView> probability, std::span<const ImageView> truth,
                           std::span<const Image> predicted, const ImageView& ignored);

/// Measures one slide in one pass over its rows, whatever the number of metrics. Every call into a metric is guarded.
class SlideMeter {
 public:
  /// `with_objects`: though no metric needs them. `known`: a class each, whether the slide's annotation says anything
  /// of it: of the others nothing counts, and no value is defined; empty: of all. The metrics outlive it.
  SlideMeter(const MetricSet& metrics, MeasuredSlide slide, const ObjectOptions& objects, bool with_objects = false,
             std::vector<bool> known = {});

  /// The next rows, from top to bottom. `truth`: u8, not 0 where the class is; `predicted`: likewise, or empty: what is
  /// above the thresholds; both may hold anything where pixels are ignored. Throws Error when sizes differ.
  void rows(const MeasuredRows& rows);
  SlideMeasures finish();

 private:
  ImageView ignored_of(const MeasuredRows& rows, std::size_t c);
  void take_masks(const MeasuredRows& rows);

  const MetricSet& metrics_;
  MeasuredSlide slide_;
  bool need_rows_, need_objects_;
  std::vector<bool> known_;
  std::vector<std::shared_ptr<Measurement>> measurements_;
  std::vector<ObjectComparison> objects_;  ///< a class
  std::vector<Image> predicted_, truth_;   ///< of these rows, 0 where ignored
  Image nothing_known_;                    ///< as large, 1: of a class of which nothing is known
  Image none_ignored_;                     ///< 0: of one of which all is, beside others
};

/// A value of several slides.
struct PooledValue {
  std::string metric;
  MetricValue value;        ///< pooled as it says
  Spread over_slides;       ///< of the slides where it is defined
  std::int64_t slides = 0;  ///< that these are
};

/// A curve of all slides together.
struct PooledCurve {
  std::string metric;
  MetricCurve curve;
};

/// Slides that are added up.
class MeasurePool {
 public:
  /// The metrics outlive it.
  MeasurePool(const MetricSet& metrics, std::vector<std::string> classes, std::vector<double> thresholds);
  void add(const SlideMeasures& slide);
  std::vector<PooledValue> values() const;
  std::vector<PooledCurve> curves() const;

 private:
  const MetricSet& metrics_;
  std::vector<std::shared_ptr<Measurement>> sums_;
  std::vector<std::vector<std::vector<double>>> of_slides_;  ///< [metric][value]: what is defined
};

}  // namespace nephron::host
