#include <algorithm>
#include <cmath>

#include <nephron/kept_measurement.hpp>
#include <nephron/metric.hpp>

#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

namespace {

/// Counts of both classes together.
class Counts : public Measurement {
 public:
  void rows(const MeasuredRows& rows) override {
    for (std::size_t c = 0; c < rows.truth.size(); ++c)
      for (std::int64_t y = 0; y < rows.height; ++y)
        for (std::int64_t x = 0; x < rows.truth[c].width; ++x) {
          const int p = rows.predicted[c].row<const std::uint8_t>(y)[x],
                    t = rows.truth[c].row<const std::uint8_t>(y)[x];
          both_ += p & t, either_ += p | t;
        }
  }
  void add(const Measurement& other) override {
    const auto& o = static_cast<const Counts&>(other);
    both_ += o.both_, either_ += o.either_;
  }
  std::vector<MetricValue> values() const override {
    MetricValue value{.name = "iou"};
    if (either_ > 0) value.value = both_ / either_;
    return {value};
  }

 protected:
  double both_ = 0, either_ = 0;
};

template <class Kind>
class MetricOf : public Metric {
 public:
  std::unique_ptr<Measurement> begin(const MeasuredSlide&) const override { return std::make_unique<Kind>(); }
};
using GoodMetric = MetricOf<Counts>;

/// Of the objects that are found, how many there are.
class Number final : public Measurement {
 public:
  void objects(const MeasuredObjects& objects) override { n_ += static_cast<double>(objects.found.size()); }
  void add(const Measurement& other) override { n_ += static_cast<const Number&>(other).n_; }
  std::vector<MetricValue> values() const override {
    return {MetricValue{.name = "found", .value = n_, .over = PooledOver::objects, .better = Better::neither}};
  }

 private:
  double n_ = 0;
};
class GoodObjectMetric final : public MetricOf<Number> {
 public:
  std::uint32_t needs() const override { return MetricNeeds::objects; }
};

class NamelessWhenEmpty final : public Counts {
 public:
  std::vector<MetricValue> values() const override {
    return either_ > 0 ? Counts::values() : std::vector<MetricValue>{};
  }
};

class SpacesInNames final : public Counts {
 public:
  std::vector<MetricValue> values() const override {
    std::vector<MetricValue> out = Counts::values();
    out[0].name = "Jaccard index";
    return out;
  }
};

/// Takes the first row of a band for that of the slide.
class FirstRowOfEach final : public Counts {
 public:
  void rows(const MeasuredRows& rows) override {
    both_ += rows.height == 1 ? 0 : 1e-3;
    Counts::rows(rows);
  }
};

class ForgetsTheMask final : public Counts {
 public:
  void rows(const MeasuredRows& rows) override {
    Counts::rows(rows);
    for (std::int64_t y = 0; y < rows.height; ++y)
      for (std::int64_t x = 0; x < rows.truth[0].width; ++x) {
        const float error = rows.probability[0].row<const float>(y)[x] - rows.truth[0].row<const std::uint8_t>(y)[x];
        either_ += error * error;
      }
  }
};

class KeepsTheLast final : public Counts {
 public:
  void add(const Measurement& other) override { both_ = either_ = 0, Counts::add(other); }
};

/// Calls each(probability, truth) of every pixel of every class that is not ignored.
template <class Each>
void each_known_pixel(const MeasuredRows& rows, const Each& each) {
  for (std::size_t c = 0; c < rows.truth.size(); ++c)
    for (std::int64_t y = 0; y < rows.height; ++y)
      for (std::int64_t x = 0; x < rows.truth[c].width; ++x)
        if (rows.ignored[c].row<const std::uint8_t>(y)[x] == 0)
          each(rows.probability[c].row<const float>(y)[x], rows.truth[c].row<const std::uint8_t>(y)[x]);
}

class ThresholdOfItsOwn final : public Counts {
 public:
  void rows(const MeasuredRows& rows) override {
    each_known_pixel(rows, [&](float probability, std::uint8_t truth) {
      const bool p = probability > 0.5F, t = truth != 0;
      both_ += p && t ? 1 : 0, either_ += p || t ? 1 : 0;
    });
  }
};

/// Adds up what is above the line, and not what is below.
class LargestOfUnions final : public Counts {
 public:
  void add(const Measurement& other) override {
    const double either = either_;
    Counts::add(other);
    either_ = std::max(either, either_ - either);
  }
};

/// A good one: the share of the probability that lies on the truth.
class ShareOnTheTruth final : public Counts {
 public:
  void rows(const MeasuredRows& rows) override {
    each_known_pixel(
        rows, [&](double probability, std::uint8_t truth) { both_ += probability * truth, either_ += probability; });
  }
};

/// A good one: pixels that are wrong, as a number.
class WrongPixels final : public Counts {
 public:
  std::vector<MetricValue> values() const override {
    return {MetricValue{.name = "wrong", .value = either_ - both_, .better = Better::lower}};
  }
};

/// A mean of what is added, not of all there is.
class MeansOfMeans final : public Counts {
 public:
  void add(const Measurement& other) override {
    const auto& o = static_cast<const MeansOfMeans&>(other);
    if (either_ == 0) return Counts::add(other);
    both_ = (both_ / either_ + o.both_ / o.either_) / 2, either_ = 1;
  }
};

/// Counts into what was begun last.
class OneForAll final : public Counts {
 public:
  OneForAll() { last() = this; }
  void rows(const MeasuredRows& rows) override {
    Counts::rows(rows);
    if (last() != this) either_ += 1;
  }

 private:
  // A thread's own, so that slides on several threads are apart.
  static const OneForAll*& last() {
    static thread_local const OneForAll* begun = nullptr;
    return begun;
  }
};

class SharesItsCounts final : public Metric {
 public:
  class Part final : public Counts {
   public:
    explicit Part(SharedScratch<double>& scratch) : scratch_(scratch) {}
    void rows(const MeasuredRows& rows) override {
      Counts::rows(rows);
      both_ = scratch_.through(both_);
    }

   private:
    SharedScratch<double>& scratch_;
  };
  std::unique_ptr<Measurement> begin(const MeasuredSlide&) const override { return std::make_unique<Part>(scratch_); }

 private:
  mutable SharedScratch<double> scratch_;
};

/// Tells its counts.
class KeptCounts : public Counts, public KeptMeasurement {
 public:
  std::vector<double> kept() const override { return {both_, either_}; }
  void restore(std::span<const double> kept) override {
    KeptNumbers numbers(kept);
    both_ = numbers.next(), either_ = numbers.next();
    numbers.finish();
  }
};

class KeepsHalf final : public KeptCounts {
 public:
  std::vector<double> kept() const override { return {both_ / 2, either_}; }
};

/// Right alone, and lost once it is added.
class RestoresItsValue final : public Counts, public KeptMeasurement {
 public:
  std::vector<double> kept() const override { return {either_ > 0 ? both_ / either_ : 0, either_ > 0 ? 1.0 : 0.0}; }
  void restore(std::span<const double> kept) override {
    KeptNumbers numbers(kept);
    both_ = numbers.next(), either_ = numbers.next();
  }
};

class TakesWhatIsThere final : public KeptCounts {
 public:
  void restore(std::span<const double> kept) override {
    if (!kept.empty()) both_ = kept[0];
    if (kept.size() > 1) either_ = kept[1];
  }
};

class SaysLowerIsBetter final : public Counts {
 public:
  std::vector<MetricValue> values() const override {
    std::vector<MetricValue> out = Counts::values();
    out[0].better = Better::lower;
    return out;
  }
};

class InfiniteWhenMissed final : public Counts {
 public:
  void rows(const MeasuredRows& rows) override {
    Counts::rows(rows);
    for (std::int64_t y = 0; y < rows.height; ++y)
      for (std::int64_t x = 0; x < rows.truth[0].width; ++x)
        predicted_ += rows.predicted[0].row<const std::uint8_t>(y)[x];
  }
  void add(const Measurement& other) override {
    Counts::add(other);
    predicted_ += static_cast<const InfiniteWhenMissed&>(other).predicted_;
  }
  std::vector<MetricValue> values() const override {
    std::vector<MetricValue> out = Counts::values();
    if (predicted_ == 0 && either_ > 0) out[0].value = 1 / predicted_;
    return out;
  }

 private:
  double predicted_ = 0;
};

class ThrowsOnSmallSlides final : public Counts {
 public:
  void rows(const MeasuredRows& rows) override {
    if (rows.truth[0].width < 2) throw Error("a slide of one column");
    Counts::rows(rows);
  }
};

}  // namespace

Fixture metric_fixture() {
  return {
      {subject_of<Metric, GoodMetric>("good"), subject_of<Metric, GoodObjectMetric>("good_of_objects"),
       subject_of<Metric, MetricOf<KeptCounts>>("good_that_is_kept"),
       subject_of<Metric, MetricOf<ShareOnTheTruth>>("share_on_the_truth"),
       subject_of<Metric, MetricOf<WrongPixels>>("wrong_pixels")},
      {
          {"values", "values() gives none", subject_of<Metric, MetricOf<NamelessWhenEmpty>>("nameless_when_empty")},
          {"values", "Jaccard index", subject_of<Metric, MetricOf<SpacesInNames>>("spaces_in_names")},
          {"bands", "in bands of 1 rows", subject_of<Metric, MetricOf<FirstRowOfEach>>("first_row_of_each")},
          {"ignored", "pixels that are ignored", subject_of<Metric, MetricOf<ForgetsTheMask>>("forgets_the_mask")},
          {"pooling", "in another order", subject_of<Metric, MetricOf<KeepsTheLast>>("keeps_the_last")},
          {"pooling", "of three slides in another order", subject_of<Metric, MetricOf<MeansOfMeans>>("means_of_means")},
          {"pooling", "added to itself", subject_of<Metric, MetricOf<LargestOfUnions>>("largest_of_unions")},
          {"thresholds", "a threshold of its own", subject_of<Metric, MetricOf<ThresholdOfItsOwn>>("own_threshold")},
          {"kept", "restored, of a slide,", subject_of<Metric, MetricOf<KeepsHalf>>("keeps_half")},
          {"kept", "restored and added", subject_of<Metric, MetricOf<RestoresItsValue>>("restores_its_value")},
          {"kept", "takes fewer numbers", subject_of<Metric, MetricOf<TakesWhatIsThere>>("takes_what_is_there")},
          {"slides", "measured meanwhile", subject_of<Metric, MetricOf<OneForAll>>("one_for_all")},
          {"threads", "on several threads at once", subject_of<Metric, SharesItsCounts>("shared_scratch")},
          {"better", "which it says is better", subject_of<Metric, MetricOf<SaysLowerIsBetter>>("says_lower")},
          {"extremes", "without a prediction", subject_of<Metric, MetricOf<InfiniteWhenMissed>>("infinite")},
          {"extremes", "a slide of one column", subject_of<Metric, MetricOf<ThrowsOnSmallSlides>>("throws")},
      }};
}

}  // namespace nephron::conformance
