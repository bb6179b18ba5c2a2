#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <host/metrics/slide_meter.hpp>

namespace nephron::host {

/// Values of several slides as scores.json has them, an object each. What is undefined is null.
nlohmann::ordered_json values_json(const std::vector<PooledValue>& values, const std::vector<std::string>& classes);

/// Curves likewise; points that are not finite are left out.
nlohmann::ordered_json curves_json(const std::vector<PooledCurve>& curves, const std::vector<std::string>& classes);

/// Values for a terminal: a line of column names, and a line each.
std::vector<std::vector<std::string>> value_rows(const std::vector<PooledValue>& values,
                                                 const std::vector<std::string>& classes);

/// "0.9443 +- 0.0123".
std::string spread_text(const Spread& spread);

}  // namespace nephron::host
