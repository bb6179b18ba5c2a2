#include <nephron/metric.hpp>

#include <vector>

struct @CLASS@Params {
  bool pooled = true;

  static void describe(nephron::Schema<@CLASS@Params>& s) {
    s.field("pooled", &@CLASS@Params::pooled, "all slides' pixels as one slide's; otherwise the mean of the slides");
  }
};

// Of one slide, or of several that were added up: counts, from which values are made at the end.
class @CLASS@Measurement final : public nephron::Measurement {
 public:
  @CLASS@Measurement(std::size_t classes, nephron::PooledOver over) : counts_(classes), over_(over) {}

  // Both masks are 0 where pixels are ignored.
  void rows(const nephron::MeasuredRows& rows) override {
    for (std::size_t c = 0; c < counts_.size(); ++c)
      for (std::int64_t y = 0; y < rows.height; ++y) {
        const auto* predicted = rows.predicted[c].row<const std::uint8_t>(y);
        const auto* truth = rows.truth[c].row<const std::uint8_t>(y);
        for (std::int64_t x = 0; x < rows.truth[c].width; ++x) {
          counts_[c].truth += truth[x];
          counts_[c].both += predicted[x] & truth[x];
        }
      }
  }

  void add(const nephron::Measurement& other) override {
    const auto& more = static_cast<const @CLASS@Measurement&>(other).counts_;
    for (std::size_t c = 0; c < counts_.size(); ++c) {
      counts_[c].truth += more[c].truth;
      counts_[c].both += more[c].both;
    }
  }

  std::vector<nephron::MetricValue> values() const override {
    std::vector<nephron::MetricValue> out;
    for (std::size_t c = 0; c < counts_.size(); ++c) {
      nephron::MetricValue value{.name = "@NAME@", .class_index = static_cast<int>(c), .over = over_};
      // Without a true pixel there is no such share: the value stays undefined.
      if (counts_[c].truth > 0)
        value.value = static_cast<double>(counts_[c].both) / static_cast<double>(counts_[c].truth);
      out.push_back(value);
    }
    return out;
  }

 private:
  struct Counts {
    std::int64_t truth = 0, both = 0;
  };
  std::vector<Counts> counts_;
  nephron::PooledOver over_;
};

class @CLASS@Metric final : public nephron::Metric {
 public:
  @CLASS@Metric(const @CLASS@Params& params, nephron::Context&)
      : over_(params.pooled ? nephron::PooledOver::pixels : nephron::PooledOver::slides) {}

  std::unique_ptr<nephron::Measurement> begin(const nephron::MeasuredSlide& slide) const override {
    return std::make_unique<@CLASS@Measurement>(slide.classes.size(), over_);
  }

 private:
  nephron::PooledOver over_;
};

NEPHRON_PLUGIN("@NAME@", "1.0.0")
NEPHRON_COMPONENT(nephron::Metric, @CLASS@Metric, "@NAME@", "What it does, in one line: replace this one")
