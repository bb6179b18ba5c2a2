#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <nephron/metric.hpp>
#include <nephron/value.hpp>

#include <host/plugins/registry.hpp>

namespace nephron::host {

/// The metrics that slides are measured by. The registry that made them outlives it.
class MetricSet {
 public:
  struct Entry {
    std::string name;
    std::shared_ptr<const Metric> metric;
    std::string parameters{};  ///< all of them, as text: equal texts are equal metrics
  };

  MetricSet() = default;
  /// Throws Error for metrics that there are not, parameters that they have not, UsageError for one that is named
  /// twice.
  MetricSet(const Registry& registry, const std::vector<ComponentSpec>& specs);
  void add(std::string name, std::shared_ptr<const Metric> metric) {
    entries_.push_back({std::move(name), std::move(metric)});
  }
  /// "dice {empty = ...}", one a metric: what values depend on besides pixels.
  std::string str() const;

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  /// MetricNeeds of all, as bits.
  std::uint32_t needs() const;

 private:
  std::vector<Entry> entries_;
};

/// "dice, boundary": the names of metrics, as a command line has them. Throws UsageError for an empty name.
std::vector<ComponentSpec> metric_specs(const std::vector<std::string>& names);

}  // namespace nephron::host
