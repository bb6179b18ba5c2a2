#include <algorithm>
#include <array>
#include <cstdint>

#include "objects.hpp"

namespace objects {

namespace {

constexpr std::size_t thresholds = 10;  // IoU 0.5, 0.55, ... 0.95
double threshold(std::size_t i) { return 0.5 + 0.05 * static_cast<double>(i); }

/// Found objects with their confidences, and at which thresholds they took a true one: as COCO's evaluation.
struct AveragePrecision {
  AveragePrecision(const nephron::NoParams&, const nephron::MeasuredSlide&) {}

  struct Found {
    double confidence = 0;
    std::array<bool, thresholds> hit{};
  };

  void count(const MeasuredObjects& objects, std::size_t c) {
    std::vector<Found> all(objects.found.size());
    // An IoU that is the threshold to the last place counts: 0.75 written as 0.5 + 5 * 0.05 is more than 0.75.
    constexpr double last_place = 1e-10;
    for (std::size_t i = 0; i < thresholds; ++i)
      for (const ObjectPair& pair : nephron::matched_by_confidence(objects, threshold(i) - last_place))
        all[pair.found].hit[i] = true;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (objects.found[i].class_index != c) continue;
      all[i].confidence = objects.found[i].confidence;
      found.push_back(all[i]);
    }
    truths += number_of(objects.truth, c);
  }

  void add(const AveragePrecision& other) {
    found.insert(found.end(), other.found.begin(), other.found.end());
    truths += other.truths;
  }

  void keep(std::vector<double>& out) const {
    out.push_back(static_cast<double>(truths));
    out.push_back(static_cast<double>(found.size()));
    for (const Found& f : found) {
      std::int64_t hits = 0;
      for (std::size_t i = 0; i < thresholds; ++i) hits |= f.hit[i] ? std::int64_t{1} << i : 0;
      out.push_back(f.confidence);
      out.push_back(static_cast<double>(hits));
    }
  }
  void restore(nephron::KeptNumbers& numbers) {
    truths = numbers.count();
    const std::int64_t n = numbers.count();
    if (n > static_cast<std::int64_t>(numbers.left() / 2)) throw nephron::Error("fewer objects were kept than counted");
    for (std::int64_t i = 0; i < n; ++i) {
      Found& f = found.emplace_back();
      f.confidence = numbers.next();
      const std::int64_t hits = numbers.count();
      for (std::size_t t = 0; t < thresholds; ++t) f.hit[t] = ((hits >> t) & 1) != 0;
    }
  }

  void values(int c, std::vector<MetricValue>& out) const {
    std::vector<Found> sorted = found;
    std::sort(sorted.begin(), sorted.end(), [](const Found& a, const Found& b) { return a.confidence > b.confidence; });
    double sum = 0;
    for (std::size_t i = 0; i < thresholds; ++i) sum += at(i, sorted);
    const bool any = truths > 0;
    const auto add_value = [&](const char* name, double value) {
      out.push_back(
          {.name = name, .class_index = c, .value = any ? value : MetricValue::undefined, .over = PooledOver::objects});
    };
    add_value("ap@0.5", at(0, sorted));
    add_value("ap@0.75", at(5, sorted));
    add_value("ap@0.5-0.95", sum / thresholds);
  }

  /// The mean over 101 recalls, 0 to 1, of the best precision at that recall or a higher one.
  double at(std::size_t i, const std::vector<Found>& sorted) const {
    if (truths == 0) return 0;
    std::vector<double> precision, recall;
    double hits = 0;
    for (std::size_t n = 0; n < sorted.size(); ++n) {
      hits += sorted[n].hit[i] ? 1 : 0;
      // Equal confidences enter together: the order in which slides were added must not count.
      if (n + 1 < sorted.size() && sorted[n + 1].confidence == sorted[n].confidence) continue;
      precision.push_back(hits / static_cast<double>(n + 1));
      recall.push_back(hits / static_cast<double>(truths));
    }
    for (std::size_t n = precision.size(); n-- > 1;) precision[n - 1] = std::max(precision[n - 1], precision[n]);
    double sum = 0;
    for (int r = 0; r <= 100; ++r) {
      const auto reached = std::lower_bound(recall.begin(), recall.end(), r / 100.0);
      if (reached != recall.end()) sum += precision[static_cast<std::size_t>(reached - recall.begin())];
    }
    return sum / 101;
  }

  std::vector<Found> found;
  std::int64_t truths = 0;
};

using AveragePrecisionMetric = ObjectMetric<AveragePrecision, nephron::NoParams>;

}  // namespace
}  // namespace objects

NEPHRON_COMPONENT(nephron::Metric, objects::AveragePrecisionMetric, "average_precision",
                  "Average precision of objects by confidence, at IoU 0.5 and 0.5 to 0.95, as COCO's evaluation")
