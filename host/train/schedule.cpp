#include <host/train/schedule.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <nephron/error.hpp>

namespace nephron::host {

double schedule_factor(const ScheduleConfig& config, std::int64_t step, std::int64_t total) {
  const auto warm = static_cast<std::int64_t>(config.warmup * static_cast<double>(total));
  if (step < warm) return static_cast<double>(step) / static_cast<double>(warm);
  const double left = static_cast<double>(std::max<std::int64_t>(0, total - step)) /
                      static_cast<double>(std::max<std::int64_t>(1, total - warm));
  if (config.type == "constant") return 1;
  if (config.type == "linear") return left;
  if (config.type == "cosine") return 0.5 * (1 - std::cos(std::numbers::pi * left));
  throw Error("unknown schedule \"" + config.type + "\": expected \"linear\", \"cosine\" or \"constant\"");
}

}  // namespace nephron::host
