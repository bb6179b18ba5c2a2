#pragma once

#include <string>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/metric.hpp>

namespace nephron {

/// A curve that a measurement knows besides its values, such as how often a probability is right. x ascending.
struct MetricCurve {
  std::string name;  ///< "reliability": letters, digits and ._-@
  int class_index = MetricValue::all_classes;
  std::string x_label, y_label;  ///< what the axes are, for people
  std::vector<Point> points;     ///< finite
  Room room{};
};

/// What a Measurement inherits besides where it has curves; the host asks for it with dynamic_cast, once for all slides
/// together.
class NEPHRON_API HasCurves {
 public:
  virtual ~HasCurves();
  virtual std::vector<MetricCurve> curves() const = 0;
};

}  // namespace nephron
