#pragma once

#include <functional>
#include <optional>

#include <host/registry/fact.hpp>

namespace nephron::host {

/// How far a training is, over all of its folds.
struct RunPace {
  double share = 0;                    ///< of the steps
  std::optional<double> seconds_left;  ///< at the pace of the last steps, where there is one; validation is not counted
};

/// `fact`: a run's fact of that key; null: it has none. Nothing where steps cannot be counted.
std::optional<RunPace> pace_of(const std::function<const FactValue*(const char* key)>& fact);

}  // namespace nephron::host
