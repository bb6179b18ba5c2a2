#include <nephron/kept_measurement.hpp>
#include <nephron/metric.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "surface.hpp"

namespace {

using nephron::Better;
using nephron::MetricValue;
using nephron::PooledOver;
using outlines::Distance;

struct BoundaryParams {
  std::vector<double> tau = {5};
  std::string unit = "um";

  static void describe(nephron::Schema<BoundaryParams>& s) {
    s.field("tau", &BoundaryParams::tau, "tolerances of the normalised surface distance, in the unit");
    s.field("unit", &BoundaryParams::unit, "microns, or pixels of the level that is measured").choices({"um", "px"});
  }
};

/// Sums over outlines, from which values are made; slides are added up.
struct Sums {
  std::vector<double> within;  ///< a tau: length of both outlines that lies within it of the other
  double length = 0;           ///< of both outlines, where a slide has a unit
  double distance = 0;         ///< times length, where both outlines are there
  double compared = 0;         ///< length of these
  double hausdorff = 0;        ///< of slides that have it
  std::int64_t slides = 0;

  void add(const Sums& other) {
    for (std::size_t i = 0; i < within.size(); ++i) within[i] += other.within[i];
    length += other.length, distance += other.distance, compared += other.compared;
    hausdorff += other.hausdorff, slides += other.slides;
  }
};

/// The distance that 95 % of the outline's length do not exceed.
double percentile_95(const std::vector<Distance>& sorted) {
  double all = 0, sum = 0;
  for (const Distance& d : sorted) all += d.length;
  for (const Distance& d : sorted)
    if ((sum += d.length) / all >= 0.95) return d.pixels;
  return sorted.back().pixels;
}

class BoundaryMeasurement final : public nephron::Measurement, public nephron::KeptMeasurement {
 public:
  /// `scale`: units in a pixel; 0 where the slide's resolution is not known.
  BoundaryMeasurement(const BoundaryParams& params, std::size_t classes, double scale)
      : params_(params), scale_(scale), predicted_(classes), truth_(classes), added_(classes, empty()) {}

  void rows(const nephron::MeasuredRows& rows) override {
    if (scale_ <= 0) return;
    own_.reset();
    for (std::size_t c = 0; c < predicted_.size(); ++c)
      for (std::int64_t y = 0; y < rows.height; ++y) {
        predicted_[c].row(rows.y + y, rows.predicted[c].row<const std::uint8_t>(y), rows.predicted[c].width);
        truth_[c].row(rows.y + y, rows.truth[c].row<const std::uint8_t>(y), rows.truth[c].width);
      }
  }

  void add(const nephron::Measurement& other) override {
    const std::vector<Sums> more = static_cast<const BoundaryMeasurement&>(other).sums();
    for (std::size_t c = 0; c < added_.size(); ++c) added_[c].add(more[c]);
  }

  std::vector<double> kept() const override {
    std::vector<double> out;
    for (const Sums& s : sums()) {
      out.insert(out.end(), s.within.begin(), s.within.end());
      for (const double v : {s.length, s.distance, s.compared, s.hausdorff, static_cast<double>(s.slides)})
        out.push_back(v);
    }
    return out;
  }
  void restore(std::span<const double> kept) override {
    nephron::KeptNumbers numbers(kept);
    for (Sums& s : added_) {
      for (double& length : s.within) length = numbers.next();
      for (double* v : {&s.length, &s.distance, &s.compared, &s.hausdorff}) *v = numbers.next();
      s.slides = numbers.count();
    }
    numbers.finish();
  }

  std::vector<MetricValue> values() const override {
    std::vector<MetricValue> out;
    const std::vector<Sums> all = sums();
    for (std::size_t c = 0; c < all.size(); ++c) {
      const Sums& s = all[c];
      const auto add = [&](const std::string& name, double above, double below, Better better, PooledOver over) {
        out.push_back({.name = name,
                       .class_index = static_cast<int>(c),
                       .value = below > 0 ? above / below : MetricValue::undefined,
                       .over = over,
                       .better = better});
      };
      for (std::size_t i = 0; i < params_.tau.size(); ++i)
        add("nsd@" + tau_text(params_.tau[i]) + params_.unit, s.within[i], s.length, Better::higher,
            PooledOver::pixels);
      add("hd95", s.hausdorff, static_cast<double>(s.slides), Better::lower, PooledOver::slides);
      add("assd", s.distance, s.compared, Better::lower, PooledOver::pixels);
    }
    return out;
  }

 private:
  static std::string tau_text(double tau) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", tau);
    return text;
  }

  Sums empty() const { return {.within = std::vector<double>(params_.tau.size())}; }

  Sums sums_of(outlines::Surface predicted, outlines::Surface truth) const {
    predicted.finish(), truth.finish();
    Sums out = empty();
    for (const auto* surface : {&predicted, &truth})
      for (const outlines::Element& e : surface->elements()) out.length += e.length * scale_;
    const std::vector<Distance> there = outlines::distances(predicted.elements(), truth.elements());
    const std::vector<Distance> back = outlines::distances(truth.elements(), predicted.elements());
    if (there.empty()) return out;
    for (const auto* way : {&there, &back})
      for (const Distance& d : *way) {
        const double distance = d.pixels * scale_, length = d.length * scale_;
        out.distance += distance * length, out.compared += length;
        for (std::size_t i = 0; i < params_.tau.size(); ++i)
          if (distance <= params_.tau[i]) out.within[i] += length;
      }
    out.hausdorff = std::max(percentile_95(there), percentile_95(back)) * scale_;
    out.slides = 1;
    return out;
  }

  /// What was shown, with what was added.
  std::vector<Sums> sums() const {
    if (!own_) {
      own_.emplace();
      for (std::size_t c = 0; c < added_.size(); ++c) own_->push_back(sums_of(predicted_[c], truth_[c]));
    }
    std::vector<Sums> out = added_;
    for (std::size_t c = 0; c < out.size(); ++c) out[c].add((*own_)[c]);
    return out;
  }

  BoundaryParams params_;
  double scale_;
  std::vector<outlines::Surface> predicted_, truth_;  ///< a class
  std::vector<Sums> added_;
  mutable std::optional<std::vector<Sums>> own_;  ///< of the rows, once they were asked for
};

class BoundaryMetric final : public nephron::Metric {
 public:
  BoundaryMetric(const BoundaryParams& params, nephron::Context&) : params_(params) {
    if (params.tau.empty()) throw nephron::Error("boundary: tau is empty; expected at least one tolerance");
    for (const double tau : params.tau)
      if (!(tau >= 0)) throw nephron::Error("boundary: a tolerance is negative");
  }
  std::unique_ptr<nephron::Measurement> begin(const nephron::MeasuredSlide& slide) const override {
    const double scale = params_.unit == "px" ? 1 : slide.microns_per_pixel;
    return std::make_unique<BoundaryMeasurement>(params_, slide.classes.size(), scale);
  }

 private:
  BoundaryParams params_;
};

}  // namespace

NEPHRON_PLUGIN("outlines", "1.0.0")
NEPHRON_COMPONENT(nephron::Metric, BoundaryMetric, "boundary",
                  "Distances of outlines: NSD at a tolerance (Nikolov et al. 2018, arXiv:1809.04430), HD95, ASSD")
