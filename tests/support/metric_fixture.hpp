#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <nephron/metric.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// Shows a metric slides of one class that are drawn in text: '#' truth and prediction, 't' truth alone, 'p' prediction
/// alone, '?' ignored, anything else neither.
class MetricTest : public testing::Test {
 protected:
  std::shared_ptr<Metric> make(const std::string& name, Value::Table params = {}) {
    contexts_.push_back(std::make_unique<HostContext>(name, "metric"));
    return registry_.create<Metric>(ComponentSpec{name, Value(std::move(params)), {}}, *contexts_.back());
  }

  static MeasuredSlide slide(Size size, double mpp = 1) {
    MeasuredSlide out;
    out.size = size;
    out.microns_per_pixel = mpp;
    out.classes = {"one"};
    out.thresholds = {0.5};
    return out;
  }

  /// Rows of a drawing; predictions have probability `sure`, everything else 1 - sure.
  static std::unique_ptr<Measurement> shown(const Metric& metric, const std::vector<std::string>& drawing,
                                            double mpp = 1, float sure = 0.9F) {
    const Size size{static_cast<std::int64_t>(drawing.at(0).size()), static_cast<std::int64_t>(drawing.size())};
    const Image probability(size, 1, Depth::f32), predicted(size, 1), truth(size, 1), ignored(size, 1);
    for (std::int64_t y = 0; y < size.height; ++y)
      for (std::int64_t x = 0; x < size.width; ++x) {
        const char c = drawing[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)];
        const bool p = c == '#' || c == 'p', t = c == '#' || c == 't';
        probability.view().row<float>(y)[x] = p ? sure : 1 - sure;
        predicted.view().row<std::uint8_t>(y)[x] = p ? 1 : 0;
        truth.view().row<std::uint8_t>(y)[x] = t ? 1 : 0;
        ignored.view().row<std::uint8_t>(y)[x] = c == '?' ? 1 : 0;
      }
    auto out = metric.begin(slide(size, mpp));
    MeasuredRows rows;
    rows.height = size.height;
    rows.probability = {probability.view()};
    rows.predicted = {predicted.view()};
    rows.truth = {truth.view()};
    rows.ignored = {ignored.view()};
    out->rows(rows);
    return out;
  }

  static std::map<std::string, double> values(const Measurement& measurement) {
    std::map<std::string, double> out;
    for (const MetricValue& value : measurement.values()) out[value.name] = value.value;
    return out;
  }

  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  std::vector<std::unique_ptr<HostContext>> contexts_;
};

}  // namespace nephron::host
