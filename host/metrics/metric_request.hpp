#pragma once

#include <string>
#include <vector>

#include <host/metrics/metric_set.hpp>

namespace nephron::host {

/// The metrics that a command line asks for: `names`, as --metrics has them, with the parameters of `settings`
/// ("METRIC.PARAMETER=VALUE", as --set has them; a value is written as in an experiment, or a bare word). Throws
/// UsageError for a setting that is none, or of another metric.
std::vector<ComponentSpec> requested_specs(const std::vector<std::string>& names,
                                           const std::vector<std::string>& settings);

/// The same, made. Throws UsageError for whatever of it cannot be had.
MetricSet requested_metrics(const Registry& registry, const std::vector<std::string>& names,
                            const std::vector<std::string>& settings);

}  // namespace nephron::host
