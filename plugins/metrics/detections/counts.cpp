#include <cmath>

#include "objects.hpp"

namespace objects {

namespace {

struct Counts {
  Counts(const IouParams& params, const nephron::MeasuredSlide&) : iou(params.iou) {}

  void count(const MeasuredObjects& objects, std::size_t c) {
    const auto found = static_cast<double>(number_of(objects.found, c));
    const auto truth = static_cast<double>(number_of(objects.truth, c));
    all_found += found, all_truth += truth;
    error += found - truth, absolute += std::abs(found - truth);
    ++slides;
    for (const ObjectPair& pair : matched(objects, c, iou)) {
      const auto area = static_cast<double>(objects.truth[pair.truth].area);
      const double off = (static_cast<double>(objects.found[pair.found].area) - area) / area;
      size_bias += off, size_error += std::abs(off), ++pairs;
    }
  }

  void add(const Counts& o) {
    all_found += o.all_found, all_truth += o.all_truth, error += o.error, absolute += o.absolute, slides += o.slides;
    size_bias += o.size_bias, size_error += o.size_error, pairs += o.pairs;
  }

  void keep(std::vector<double>& out) const {
    for (const double v : {all_found, all_truth, error, absolute, slides, size_bias, size_error, pairs})
      out.push_back(v);
  }
  void restore(nephron::KeptNumbers& numbers) {
    for (double* v : {&all_found, &all_truth, &error, &absolute, &slides, &size_bias, &size_error, &pairs})
      *v = numbers.next();
  }

  void values(int c, std::vector<MetricValue>& out) const {
    const auto add_value = [&](const char* name, double value, PooledOver over, Better better) {
      out.push_back({.name = name, .class_index = c, .value = value, .over = over, .better = better});
    };
    add_value("objects_found", all_found, PooledOver::objects, Better::neither);
    add_value("objects_true", all_truth, PooledOver::objects, Better::neither);
    add_value("count_bias", ratio(error, slides), PooledOver::slides, Better::neither);
    add_value("count_error", ratio(absolute, slides), PooledOver::slides, Better::lower);
    add_value("size_bias", ratio(size_bias, pairs), PooledOver::objects, Better::neither);
    add_value("size_error", ratio(size_error, pairs), PooledOver::objects, Better::lower);
  }

  double iou;
  double all_found = 0, all_truth = 0, error = 0, absolute = 0, slides = 0;
  double size_bias = 0, size_error = 0, pairs = 0;
};

using CountsMetric = ObjectMetric<Counts, IouParams>;

}  // namespace
}  // namespace objects

NEPHRON_COMPONENT(nephron::Metric, objects::CountsMetric, "counts",
                  "Errors of the number of objects and of their sizes")
