#pragma once

#include <cstdint>

#include <host/config/experiment.hpp>

namespace nephron::host {

/// Steps of an epoch and of the whole training.
struct StepCounts {
  std::int64_t epoch = 0, all = 0;
  static StepCounts of(const TrainConfig& config) {
    const std::int64_t epoch = (config.steps_per_epoch + config.accumulate - 1) / config.accumulate;
    return {epoch, epoch * config.epochs};
  }
};

/// Share of the learning rate at optimiser step `step` (0-based) of `total`: a linear rise over int(warmup * total)
/// steps, then constant, or falling to 0 in a line or in half a cosine.
double schedule_factor(const ScheduleConfig& config, std::int64_t step, std::int64_t total);

}  // namespace nephron::host
