#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nephron/kept_measurement.hpp>
#include <nephron/object_matching.hpp>

// What the metrics of this folder share.
namespace objects {

using nephron::Better;
using nephron::MeasuredObject;
using nephron::MeasuredObjects;
using nephron::MetricValue;
using nephron::ObjectPair;
using nephron::PooledOver;

/// Undefined where there is nothing to divide by.
inline double ratio(double above, double below) { return below > 0 ? above / below : MetricValue::undefined; }

/// A measurement that adds up a Sums a class: it has count(objects, class), add(other), values(class, out), and
/// keep(out) and restore(numbers).
template <class Sums>
class ObjectMeasurement final : public nephron::Measurement, public nephron::KeptMeasurement {
 public:
  explicit ObjectMeasurement(std::vector<Sums> of_class) : of_class_(std::move(of_class)) {}

  void objects(const MeasuredObjects& objects) override {
    for (std::size_t c = 0; c < of_class_.size(); ++c) of_class_[c].count(objects, c);
  }
  void add(const nephron::Measurement& other) override {
    for (std::size_t c = 0; c < of_class_.size(); ++c)
      of_class_[c].add(static_cast<const ObjectMeasurement&>(other).of_class_[c]);
  }
  std::vector<double> kept() const override {
    std::vector<double> out;
    for (const Sums& sums : of_class_) sums.keep(out);
    return out;
  }
  void restore(std::span<const double> kept) override {
    nephron::KeptNumbers numbers(kept);
    for (Sums& sums : of_class_) sums.restore(numbers);
    numbers.finish();
  }
  std::vector<MetricValue> values() const override {
    std::vector<MetricValue> out;
    for (std::size_t c = 0; c < of_class_.size(); ++c) of_class_[c].values(static_cast<int>(c), out);
    return out;
  }

 private:
  std::vector<Sums> of_class_;
};

/// A metric whose classes are added up apart.
template <class Sums, class Params>
class ObjectMetric final : public nephron::Metric {
 public:
  ObjectMetric(const Params& params, nephron::Context&) : params_(params) {}
  std::uint32_t needs() const override { return nephron::MetricNeeds::objects; }
  std::unique_ptr<nephron::Measurement> begin(const nephron::MeasuredSlide& slide) const override {
    return std::make_unique<ObjectMeasurement<Sums>>(std::vector<Sums>(slide.classes.size(), Sums(params_, slide)));
  }

 private:
  Params params_;
};

/// "0.5" of 0.5.
std::string short_text(double number);

struct IouParams {
  double iou = 0.5;

  static void describe(nephron::Schema<IouParams>& s) {
    s.field("iou", &IouParams::iou, "least intersection over union of a found and a true object that are one")
        .range(0.01, 1);
  }
};

/// Pairs of the class, matched one to one.
std::vector<ObjectPair> matched(const MeasuredObjects& objects, std::size_t class_index, double iou);
std::int64_t number_of(const std::vector<MeasuredObject>& objects, std::size_t class_index);

}  // namespace objects
