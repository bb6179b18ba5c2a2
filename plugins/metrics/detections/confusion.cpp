#include <algorithm>
#include <cctype>

#include "objects.hpp"

namespace objects {

namespace {

/// Of the true objects of a class: as which class each was found.
struct Confusion {
  Confusion(const IouParams& params, const nephron::MeasuredSlide& slide)
      : iou(params.iou), found_as(slide.classes.size()) {
    for (std::size_t c = 0; c < slide.classes.size(); ++c) {
      std::string name = "as_" + plain(slide.classes[c], c);
      if (std::find(names.begin(), names.end(), name) != names.end()) name += "_" + std::to_string(c);
      names.push_back(std::move(name));
    }
  }

  void count(const MeasuredObjects& objects, std::size_t c) {
    MeasuredObjects together = objects;  // matched whatever their classes
    for (MeasuredObject& o : together.found) o.class_index = 0;
    for (MeasuredObject& o : together.truth) o.class_index = 0;
    for (const ObjectPair& pair : nephron::matched_by_iou(together, iou))
      if (objects.truth[pair.truth].class_index == c) ++found_as[objects.found[pair.found].class_index];
    truths += static_cast<double>(number_of(objects.truth, c));
  }

  void add(const Confusion& other) {
    for (std::size_t c = 0; c < found_as.size(); ++c) found_as[c] += other.found_as[c];
    truths += other.truths;
  }

  void keep(std::vector<double>& out) const {
    out.insert(out.end(), found_as.begin(), found_as.end());
    out.push_back(truths);
  }
  void restore(nephron::KeptNumbers& numbers) {
    for (double& n : found_as) n = numbers.next();
    truths = numbers.next();
  }

  void values(int c, std::vector<MetricValue>& out) const {
    double found = 0;
    const auto add_value = [&](const std::string& name, double value, Better better) {
      out.push_back({.name = name, .class_index = c, .value = value, .over = PooledOver::objects, .better = better});
    };
    for (std::size_t other = 0; other < found_as.size(); ++other) {
      found += found_as[other];
      add_value(names[other], ratio(found_as[other], truths),
                static_cast<int>(other) == c ? Better::higher : Better::lower);
    }
    add_value("as_nothing", ratio(truths - found, truths), Better::lower);
  }

  /// A class's name with what a value's name may have, or its number.
  static std::string plain(const std::string& name, std::size_t c) {
    std::string out;
    for (const char ch : name) out += std::isalnum(static_cast<unsigned char>(ch)) != 0 ? ch : '_';
    return out.empty() || out.size() > 50 || out == "nothing" ? std::to_string(c) : out;
  }

  double iou;
  std::vector<std::string> names;
  std::vector<double> found_as;
  double truths = 0;
};

using ConfusionMetric = ObjectMetric<Confusion, IouParams>;

}  // namespace
}  // namespace objects

NEPHRON_COMPONENT(nephron::Metric, objects::ConfusionMetric, "confusion",
                  "As which class true objects were found, such as healthy against unhealthy")
