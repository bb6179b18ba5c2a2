#include <algorithm>
#include <cstdio>

#include "objects.hpp"

namespace objects {

std::string short_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", number);
  return text;
}

std::vector<ObjectPair> matched(const MeasuredObjects& objects, std::size_t class_index, double iou) {
  std::vector<ObjectPair> out = nephron::matched_by_iou(objects, iou);
  std::erase_if(out, [&](const ObjectPair& p) { return objects.found[p.found].class_index != class_index; });
  return out;
}

std::int64_t number_of(const std::vector<MeasuredObject>& objects, std::size_t class_index) {
  return std::count_if(objects.begin(), objects.end(),
                       [&](const MeasuredObject& o) { return o.class_index == class_index; });
}

namespace {

/// Numbers of a detection: true and false positives, and false negatives.
struct Numbers {
  double tp = 0, fp = 0, fn = 0;

  void add(const Numbers& other) { tp += other.tp, fp += other.fp, fn += other.fn; }
  void keep(std::vector<double>& out) const { out.insert(out.end(), {tp, fp, fn}); }
  void restore(nephron::KeptNumbers& numbers) { tp = numbers.next(), fp = numbers.next(), fn = numbers.next(); }
  double recall() const { return ratio(tp, tp + fn); }
  double precision() const { return ratio(tp, tp + fp); }
  double f1() const { return ratio(2 * tp, 2 * tp + fp + fn); }
};

MetricValue value(std::string name, int c, double of, PooledOver over = PooledOver::objects) {
  return {.name = std::move(name), .class_index = c, .value = of, .over = over};
}

/// The reference pipeline's rule: centres of boxes that lie in the other mask. A true object that is hit twice counts
/// twice, so that fn and fp can be below 0.
struct Centres {
  Centres(const nephron::NoParams&, const nephron::MeasuredSlide&) {}

  void count(const MeasuredObjects& objects, std::size_t c) {
    double hits = 0, covered = 0;
    for (const MeasuredObject& o : objects.found) hits += o.class_index == c && o.centre_hits ? 1 : 0;
    for (const MeasuredObject& o : objects.truth) covered += o.class_index == c && o.centre_hits ? 1 : 0;
    sum.add({hits, static_cast<double>(number_of(objects.found, c)) - covered,
             static_cast<double>(number_of(objects.truth, c)) - hits});
  }
  void add(const Centres& other) { sum.add(other.sum); }
  void keep(std::vector<double>& out) const { sum.keep(out); }
  void restore(nephron::KeptNumbers& numbers) { sum.restore(numbers); }
  void values(int c, std::vector<MetricValue>& out) const {
    out.push_back(value("centre_recall", c, sum.recall()));
    out.push_back(value("centre_precision", c, sum.precision()));
    out.push_back(value("centre_f1", c, sum.f1()));
    out.push_back(value("centre_accuracy", c, ratio(sum.tp, sum.tp + sum.fp + sum.fn)));
  }

  Numbers sum;
};

/// One to one at an IoU; their mean IoU besides makes it the panoptic quality.
struct OneToOne {
  OneToOne(const IouParams& params, const nephron::MeasuredSlide&) : iou(params.iou) {}

  void count(const MeasuredObjects& objects, std::size_t c) {
    const std::vector<ObjectPair> pairs = matched(objects, c, iou);
    const auto n = static_cast<double>(pairs.size());
    sum.add({n, static_cast<double>(number_of(objects.found, c)) - n,
             static_cast<double>(number_of(objects.truth, c)) - n});
    for (const ObjectPair& pair : pairs) ious += pair.iou;
  }
  void add(const OneToOne& other) { sum.add(other.sum), ious += other.ious; }
  void keep(std::vector<double>& out) const { sum.keep(out), out.push_back(ious); }
  void restore(nephron::KeptNumbers& numbers) { sum.restore(numbers), ious = numbers.next(); }

  double iou;
  Numbers sum;
  double ious = 0;
};

struct Detection : OneToOne {
  using OneToOne::OneToOne;
  void values(int c, std::vector<MetricValue>& out) const {
    const std::string at = "@" + short_text(iou);
    out.push_back(value("object_recall" + at, c, sum.recall()));
    out.push_back(value("object_precision" + at, c, sum.precision()));
    out.push_back(value("object_f1" + at, c, sum.f1()));
  }
};

struct Panoptic : OneToOne {
  using OneToOne::OneToOne;
  void values(int c, std::vector<MetricValue>& out) const {
    out.push_back(value("pq", c, ratio(ious, sum.tp + sum.fp / 2 + sum.fn / 2)));
    out.push_back(value("sq", c, ratio(ious, sum.tp)));
    out.push_back(value("rq", c, sum.f1()));
  }
};

using CentresMetric = ObjectMetric<Centres, nephron::NoParams>;
using DetectionMetric = ObjectMetric<Detection, IouParams>;
using PanopticMetric = ObjectMetric<Panoptic, IouParams>;

}  // namespace
}  // namespace objects

NEPHRON_PLUGIN("detections", "1.0.0")
NEPHRON_COMPONENT(nephron::Metric, objects::CentresMetric, "centres",
                  "Recall, precision and F1 of objects by their centres, as the reference pipeline counts")
NEPHRON_COMPONENT(nephron::Metric, objects::DetectionMetric, "detection",
                  "Recall, precision and F1 of objects that are matched one to one")
NEPHRON_COMPONENT(nephron::Metric, objects::PanopticMetric, "panoptic",
                  "Panoptic quality and its two factors (Kirillov et al. 2019, arXiv:1801.00868)")
