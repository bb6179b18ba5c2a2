#include <host/train/schedule.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

/// From one value to the other along half a cosine.
double anneal(double from, double to, double share) {
  return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * share));
}

double one_cycle(const ScheduleConfig& config, std::int64_t step, std::int64_t total) {
  constexpr double start = 1.0 / 25, end = start / 1e4;  // torch's div_factor and final_div_factor
  const auto n = static_cast<double>(total), k = static_cast<double>(step);
  const double top = config.warmup * n - 1;  // the step with the whole rate; need not be a whole number
  if (k <= top) return anneal(config.start.value_or(start), 1, top > 0 ? k / top : 1);
  const double fall = n - 1 - top;
  return anneal(1, config.end.value_or(end), fall > 0 ? std::min(1.0, (k - top) / fall) : 1);
}

}  // namespace

double schedule_factor(const ScheduleConfig& config, std::int64_t step, std::int64_t total) {
  if (config.type == "one_cycle") return one_cycle(config, step, total);
  const auto warm = static_cast<std::int64_t>(config.warmup * static_cast<double>(total));
  const double start = config.start.value_or(0), end = config.end.value_or(0);
  if (step < warm) return start + (1 - start) * static_cast<double>(step) / static_cast<double>(warm);
  const double left = static_cast<double>(std::max<std::int64_t>(0, total - step)) /
                      static_cast<double>(std::max<std::int64_t>(1, total - warm));
  if (config.type == "constant" || config.type == "plateau") return 1;
  if (config.type == "linear") return end + (1 - end) * left;
  if (config.type == "cosine") return end + (1 - end) * (0.5 * (1 - std::cos(std::numbers::pi * left)));
  if (config.type == "poly") return end + (1 - end) * std::pow(left, config.power);
  throw Error("unknown schedule \"" + config.type +
              "\": expected \"linear\", \"cosine\", \"one_cycle\", \"poly\", \"plateau\" or \"constant\"");
}

bool Plateau::add(const ScheduleConfig& config, double dice) {
  if (config.type != "plateau") return false;
  if (best < 0 || dice > best * (1 + config.threshold)) {
    best = dice;
    bad = 0;
  } else {
    ++bad;
  }
  if (cooldown > 0) --cooldown, bad = 0;
  if (bad <= config.patience) return false;
  cooldown = config.cooldown;
  bad = 0;
  const double before = std::exchange(factor, std::max(factor * config.factor, config.end.value_or(0)));
  return factor < before;
}

}  // namespace nephron::host
