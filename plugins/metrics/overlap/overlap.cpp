#include <nephron/kept_measurement.hpp>
#include <nephron/metric.hpp>

#include <string>
#include <vector>

namespace {

using nephron::MetricValue;

/// Pixels of the prediction, of the truth, and of both.
struct Counts {
  std::int64_t predicted = 0, truth = 0, both = 0;
};

struct Fraction {
  double above, below;
};

struct Dice {
  static constexpr const char* empty = "one";
  static Fraction of(const Counts& c) {
    return {2.0 * static_cast<double>(c.both), static_cast<double>(c.predicted + c.truth)};
  }
};
struct Iou {
  static constexpr const char* empty = "one";
  static Fraction of(const Counts& c) {
    return {static_cast<double>(c.both), static_cast<double>(c.predicted + c.truth - c.both)};
  }
};
struct Precision {
  static constexpr const char* empty = "undefined";
  static Fraction of(const Counts& c) { return {static_cast<double>(c.both), static_cast<double>(c.predicted)}; }
};
struct Recall {
  static constexpr const char* empty = "undefined";
  static Fraction of(const Counts& c) { return {static_cast<double>(c.both), static_cast<double>(c.truth)}; }
};

template <class Formula>
class OverlapMeasurement final : public nephron::Measurement, public nephron::KeptMeasurement {
 public:
  OverlapMeasurement(std::string name, std::size_t classes, double empty)
      : name_(std::move(name)), counts_(classes), empty_(empty) {}

  void rows(const nephron::MeasuredRows& rows) override {
    for (std::size_t c = 0; c < counts_.size(); ++c)
      for (std::int64_t y = 0; y < rows.height; ++y)
        add_row(rows.predicted[c].row<const std::uint8_t>(y), rows.truth[c].row<const std::uint8_t>(y),
                rows.truth[c].width, counts_[c]);
  }

  void add(const nephron::Measurement& other) override {
    const auto& more = static_cast<const OverlapMeasurement&>(other).counts_;
    for (std::size_t c = 0; c < counts_.size(); ++c) {
      counts_[c].predicted += more[c].predicted;
      counts_[c].truth += more[c].truth;
      counts_[c].both += more[c].both;
    }
  }

  std::vector<double> kept() const override {
    std::vector<double> out;
    for (const Counts& c : counts_)
      for (const std::int64_t n : {c.predicted, c.truth, c.both}) out.push_back(static_cast<double>(n));
    return out;
  }
  void restore(std::span<const double> kept) override {
    nephron::KeptNumbers numbers(kept);
    for (Counts& c : counts_)
      for (std::int64_t* n : {&c.predicted, &c.truth, &c.both}) *n = numbers.count();
    numbers.finish();
  }

  std::vector<MetricValue> values() const override {
    std::vector<MetricValue> out;
    for (std::size_t c = 0; c < counts_.size(); ++c) {
      const Fraction f = Formula::of(counts_[c]);
      out.push_back(
          {.name = name_, .class_index = static_cast<int>(c), .value = f.below > 0 ? f.above / f.below : empty_});
    }
    return out;
  }

 private:
  /// In parts whose sums fit into 8 bits, 32 of which a processor adds at once.
  static void add_row(const std::uint8_t* predicted, const std::uint8_t* truth, std::int64_t width, Counts& counts) {
    constexpr std::int64_t lanes = 64, most = 255;
    std::int64_t x = 0;
    while (x + lanes <= width) {
      std::uint8_t p[lanes] = {}, t[lanes] = {}, b[lanes] = {};
      for (std::int64_t n = 0; n < most && x + lanes <= width; ++n, x += lanes)
        for (std::int64_t i = 0; i < lanes; ++i) {
          p[i] = static_cast<std::uint8_t>(p[i] + predicted[x + i]);
          t[i] = static_cast<std::uint8_t>(t[i] + truth[x + i]);
          b[i] = static_cast<std::uint8_t>(b[i] + (predicted[x + i] & truth[x + i]));
        }
      for (std::int64_t i = 0; i < lanes; ++i) counts.predicted += p[i], counts.truth += t[i], counts.both += b[i];
    }
    for (; x < width; ++x) {
      counts.predicted += predicted[x], counts.truth += truth[x];
      counts.both += predicted[x] & truth[x];
    }
  }

  std::string name_;
  std::vector<Counts> counts_;
  double empty_;
};

template <class Formula>
struct OverlapParams {
  std::string empty = Formula::empty;

  static void describe(nephron::Schema<OverlapParams>& s) {
    s.field("empty", &OverlapParams::empty, "the value where there is nothing to divide by")
        .choices({"one", "zero", "undefined"});
  }
};

template <class Formula>
class OverlapMetric final : public nephron::Metric {
 public:
  OverlapMetric(const OverlapParams<Formula>& params, nephron::Context& context)
      : name_(context.component()),
        empty_(params.empty == "one"    ? 1
               : params.empty == "zero" ? 0
                                        : MetricValue::undefined) {}

  std::unique_ptr<nephron::Measurement> begin(const nephron::MeasuredSlide& slide) const override {
    return std::make_unique<OverlapMeasurement<Formula>>(name_, slide.classes.size(), empty_);
  }

 private:
  std::string name_;
  double empty_;
};

}  // namespace

NEPHRON_PLUGIN("overlap", "1.0.0")
NEPHRON_COMPONENT(nephron::Metric, OverlapMetric<Dice>, "dice",
                  "Dice coefficient of the pixels: 2 |P and T| / (|P| + |T|)")
NEPHRON_COMPONENT(nephron::Metric, OverlapMetric<Iou>, "iou", "Intersection over union of the pixels (Jaccard)")
NEPHRON_COMPONENT(nephron::Metric, OverlapMetric<Precision>, "precision", "Share of predicted pixels that are true")
NEPHRON_COMPONENT(nephron::Metric, OverlapMetric<Recall>, "recall", "Share of true pixels that are predicted")
