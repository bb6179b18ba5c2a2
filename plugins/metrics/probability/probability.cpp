#include <nephron/kept_measurement.hpp>
#include <nephron/metric.hpp>
#include <nephron/metric_curves.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace {

using nephron::MeasuredRows;
using nephron::MetricValue;
using nephron::PooledOver;

/// Calls visit(probability, truth) for each pixel of a class that counts.
template <class Visit>
void for_each_pixel(const MeasuredRows& rows, std::size_t c, Visit&& visit) {
  for (std::int64_t y = 0; y < rows.height; ++y) {
    const auto* p = rows.probability[c].row<const float>(y);
    const auto* t = rows.truth[c].row<const std::uint8_t>(y);
    const auto* ignored = rows.ignored.empty() ? nullptr : rows.ignored[c].row<const std::uint8_t>(y);
    for (std::int64_t x = 0; x < rows.truth[c].width; ++x)
      if (ignored == nullptr || ignored[x] == 0) visit(p[x], t[x]);
  }
}

/// Of equal bins from 0 to 1: the one that a probability lies in. What is no number lies in the first.
std::size_t bin_of(float p, std::size_t bins) {
  if (!(p > 0)) return 0;
  return std::min(bins - 1, static_cast<std::size_t>(static_cast<double>(p) * static_cast<double>(bins)));
}

/// Pixels whose probability lies in a bin, true ones and others.
class Histogram {
 public:
  explicit Histogram(std::size_t bins) : positive_(bins), negative_(bins) {}

  void add(float p, bool truth) { ++(truth ? positive_ : negative_)[bin_of(p, positive_.size())]; }
  void add(const Histogram& other) {
    for (std::size_t i = 0; i < positive_.size(); ++i)
      positive_[i] += other.positive_[i], negative_[i] += other.negative_[i];
  }

  void keep(std::vector<double>& out) const {
    for (const auto* counts : {&positive_, &negative_}) out.insert(out.end(), counts->begin(), counts->end());
  }
  void restore(nephron::KeptNumbers& numbers) {
    for (auto* counts : {&positive_, &negative_})
      for (std::int64_t& n : *counts) n = numbers.count();
  }

  /// The sum over falling thresholds of precision times the gain of recall.
  double average_precision() const {
    std::int64_t all = 0;
    for (const std::int64_t n : positive_) all += n;
    if (all == 0) return MetricValue::undefined;
    double out = 0, hits = 0, seen = 0;
    for (std::size_t i = positive_.size(); i-- > 0;) {
      if (positive_[i] + negative_[i] == 0) continue;
      hits += static_cast<double>(positive_[i]);
      seen += static_cast<double>(positive_[i] + negative_[i]);
      out += static_cast<double>(positive_[i]) / static_cast<double>(all) * hits / seen;
    }
    return out;
  }

 private:
  std::vector<std::int64_t> positive_, negative_;
};

struct AuprcParams {
  int bins = 65536;

  static void describe(nephron::Schema<AuprcParams>& s) {
    s.field("bins", &AuprcParams::bins, "thresholds that are told apart").range(2, 1 << 20);
  }
};

class AuprcMeasurement final : public nephron::Measurement, public nephron::KeptMeasurement {
 public:
  AuprcMeasurement(std::size_t classes, std::size_t bins) : of_class_(classes, Histogram(bins)) {}

  void rows(const MeasuredRows& rows) override {
    for (std::size_t c = 0; c < of_class_.size(); ++c)
      for_each_pixel(rows, c, [&](float p, std::uint8_t t) { of_class_[c].add(p, t != 0); });
  }
  void add(const nephron::Measurement& other) override {
    for (std::size_t c = 0; c < of_class_.size(); ++c)
      of_class_[c].add(static_cast<const AuprcMeasurement&>(other).of_class_[c]);
  }
  std::vector<double> kept() const override {
    std::vector<double> out;
    for (const Histogram& h : of_class_) h.keep(out);
    return out;
  }
  void restore(std::span<const double> kept) override {
    nephron::KeptNumbers numbers(kept);
    for (Histogram& h : of_class_) h.restore(numbers);
    numbers.finish();
  }
  std::vector<MetricValue> values() const override {
    std::vector<MetricValue> out;
    for (std::size_t c = 0; c < of_class_.size(); ++c)
      out.push_back({.name = "auprc", .class_index = static_cast<int>(c), .value = of_class_[c].average_precision()});
    return out;
  }

 private:
  std::vector<Histogram> of_class_;
};

class AuprcMetric final : public nephron::Metric {
 public:
  AuprcMetric(const AuprcParams& params, nephron::Context&) : bins_(static_cast<std::size_t>(params.bins)) {}
  std::unique_ptr<nephron::Measurement> begin(const nephron::MeasuredSlide& slide) const override {
    return std::make_unique<AuprcMeasurement>(slide.classes.size(), bins_);
  }

 private:
  std::size_t bins_;
};

struct CalibrationParams {
  int bins = 15;

  static void describe(nephron::Schema<CalibrationParams>& s) {
    s.field("bins", &CalibrationParams::bins, "bins of equal width from 0 to 1").range(1, 10000);
  }
};

class CalibrationMeasurement final : public nephron::Measurement,
                                    public nephron::KeptMeasurement,
                                    public nephron::HasCurves {
 public:
  /// A probability of 1 has a bin of its own, after the others.
  CalibrationMeasurement(std::size_t classes, std::size_t bins) : of_class_(classes, std::vector<Bin>(bins + 1)) {}

  void rows(const MeasuredRows& rows) override {
    for (std::size_t c = 0; c < of_class_.size(); ++c) {
      std::vector<Bin>& bins = of_class_[c];
      for_each_pixel(rows, c, [&](float p, std::uint8_t t) {
        Bin& bin = p >= 1 ? bins.back() : bins[bin_of(p, bins.size() - 1)];
        ++bin.pixels, bin.truth += t, bin.probability += p;
      });
    }
  }
  void add(const nephron::Measurement& other) override {
    for (std::size_t c = 0; c < of_class_.size(); ++c)
      for (std::size_t i = 0; i < of_class_[c].size(); ++i) {
        const Bin& more = static_cast<const CalibrationMeasurement&>(other).of_class_[c][i];
        Bin& bin = of_class_[c][i];
        bin.pixels += more.pixels, bin.truth += more.truth, bin.probability += more.probability;
      }
  }
  std::vector<double> kept() const override {
    std::vector<double> out;
    for (const std::vector<Bin>& bins : of_class_)
      for (const Bin& b : bins)
        for (const double v : {static_cast<double>(b.pixels), static_cast<double>(b.truth), b.probability})
          out.push_back(v);
    return out;
  }
  void restore(std::span<const double> kept) override {
    nephron::KeptNumbers numbers(kept);
    for (std::vector<Bin>& bins : of_class_)
      for (Bin& b : bins) b.pixels = numbers.count(), b.truth = numbers.count(), b.probability = numbers.next();
    numbers.finish();
  }
  std::vector<MetricValue> values() const override {
    std::vector<MetricValue> out;
    for (std::size_t c = 0; c < of_class_.size(); ++c) {
      double all = 0, sum = 0, largest = 0;
      for (const Bin& bin : of_class_[c]) {
        if (bin.pixels == 0) continue;
        const double off = std::abs(static_cast<double>(bin.truth) - bin.probability);
        all += static_cast<double>(bin.pixels), sum += off;
        largest = std::max(largest, off / static_cast<double>(bin.pixels));
      }
      const bool any = all > 0;
      const auto add = [&](const char* name, double value) {
        out.push_back({.name = name,
                       .class_index = static_cast<int>(c),
                       .value = any ? value : MetricValue::undefined,
                       .better = nephron::Better::lower});
      };
      add("ece", sum / all);
      add("mce", largest);
    }
    return out;
  }
  /// Of each bin with a pixel: its mean probability, and the share of its pixels that are true.
  std::vector<nephron::MetricCurve> curves() const override {
    std::vector<nephron::MetricCurve> out;
    for (std::size_t c = 0; c < of_class_.size(); ++c) {
      nephron::MetricCurve curve{.name = "reliability",
                                 .class_index = static_cast<int>(c),
                                 .x_label = "probability, mean of a bin",
                                 .y_label = "share of its pixels that are true",
                                 .points = {}};
      for (const Bin& bin : of_class_[c]) {
        if (bin.pixels == 0) continue;
        const auto all = static_cast<double>(bin.pixels);
        curve.points.push_back({bin.probability / all, static_cast<double>(bin.truth) / all});
      }
      out.push_back(std::move(curve));
    }
    return out;
  }

 private:
  struct Bin {
    std::int64_t pixels = 0, truth = 0;
    double probability = 0;
  };
  std::vector<std::vector<Bin>> of_class_;
};

class CalibrationMetric final : public nephron::Metric {
 public:
  CalibrationMetric(const CalibrationParams& params, nephron::Context&)
      : bins_(static_cast<std::size_t>(params.bins)) {}
  std::unique_ptr<nephron::Measurement> begin(const nephron::MeasuredSlide& slide) const override {
    return std::make_unique<CalibrationMeasurement>(slide.classes.size(), bins_);
  }

 private:
  std::size_t bins_;
};

class BrierMeasurement final : public nephron::Measurement, public nephron::KeptMeasurement {
 public:
  explicit BrierMeasurement(std::size_t classes) : of_class_(classes) {}

  void rows(const MeasuredRows& rows) override {
    for (std::size_t c = 0; c < of_class_.size(); ++c)
      for_each_pixel(rows, c, [&](float p, std::uint8_t t) {
        const double off = static_cast<double>(p) - t;
        of_class_[c].squares += off * off;
        ++of_class_[c].pixels;
      });
  }
  void add(const nephron::Measurement& other) override {
    for (std::size_t c = 0; c < of_class_.size(); ++c) {
      const Sum& more = static_cast<const BrierMeasurement&>(other).of_class_[c];
      of_class_[c].squares += more.squares, of_class_[c].pixels += more.pixels;
    }
  }
  std::vector<double> kept() const override {
    std::vector<double> out;
    for (const Sum& s : of_class_) out.push_back(s.squares), out.push_back(static_cast<double>(s.pixels));
    return out;
  }
  void restore(std::span<const double> kept) override {
    nephron::KeptNumbers numbers(kept);
    for (Sum& s : of_class_) s.squares = numbers.next(), s.pixels = numbers.count();
    numbers.finish();
  }
  std::vector<MetricValue> values() const override {
    std::vector<MetricValue> out;
    for (std::size_t c = 0; c < of_class_.size(); ++c) {
      const Sum& s = of_class_[c];
      out.push_back({.name = "brier",
                     .class_index = static_cast<int>(c),
                     .value = s.pixels > 0 ? s.squares / static_cast<double>(s.pixels) : MetricValue::undefined,
                     .better = nephron::Better::lower});
    }
    return out;
  }

 private:
  struct Sum {
    double squares = 0;
    std::int64_t pixels = 0;
  };
  std::vector<Sum> of_class_;
};

class BrierMetric final : public nephron::Metric {
 public:
  std::unique_ptr<nephron::Measurement> begin(const nephron::MeasuredSlide& slide) const override {
    return std::make_unique<BrierMeasurement>(slide.classes.size());
  }
};

}  // namespace

NEPHRON_PLUGIN("probability", "1.0.0")
NEPHRON_COMPONENT(nephron::Metric, AuprcMetric, "auprc",
                  "Area under precision over recall of the pixels (average precision)")
NEPHRON_COMPONENT(nephron::Metric, CalibrationMetric, "calibration",
                  "How far probabilities are from frequencies (Guo et al. 2017, arXiv:1706.04599)")
NEPHRON_COMPONENT(nephron::Metric, BrierMetric, "brier", "Mean square of probability minus truth (Brier 1950)")
