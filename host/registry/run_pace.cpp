#include <host/registry/run_pace.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace nephron::host {

std::optional<RunPace> pace_of(const std::function<const FactValue*(const char* key)>& fact) {
  const auto number = [&](const char* key, double otherwise) {
    const FactValue* const value = fact(key);
    return value != nullptr ? number_of(*value).value_or(otherwise) : otherwise;
  };
  const FactValue* const named = fact("folds");
  const std::string folds = named != nullptr ? text_of(*named) : "";
  const double count = 1 + static_cast<double>(std::count(folds.begin(), folds.end(), ','));
  const double accumulate = std::max(1.0, number("train.accumulate", 1));
  const double all = count * number("train.epochs", 0) * std::ceil(number("train.steps_per_epoch", 0) / accumulate);
  if (!(all > 0)) return std::nullopt;
  const double done = std::min(number("steps", 0), all), tiles_per_s = number("tiles_per_s", 0);
  RunPace out{done / all, {}};
  if (tiles_per_s > 0)
    if (const double left = (all - done) * accumulate * number("train.batch", 1) / tiles_per_s; std::isfinite(left))
      out.seconds_left = std::max(0.0, left);
  return out;
}

}  // namespace nephron::host
