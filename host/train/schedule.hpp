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

/// Share of the learning rate at optimiser step `step` (0-based) of `total`. A linear rise over int(warmup * total)
/// steps, then constant (plateau too), or falling to `end` in a line, half a cosine, or a power of what is left.
/// one_cycle rises and falls by half cosines, as torch.optim.lr_scheduler.OneCycleLR does with three_phase = False.
double schedule_factor(const ScheduleConfig& config, std::int64_t step, std::int64_t total);

/// How far a plateau schedule has come; what a checkpoint keeps of it.
struct Plateau {
  double factor = 1;          ///< of the rate
  double best = -1;           ///< Dice
  std::int64_t bad = 0;       ///< validations without a better one
  std::int64_t cooldown = 0;  ///< validations that do not count yet

  /// A validation gave this Dice; true when the rate falls. As torch.optim.lr_scheduler.ReduceLROnPlateau in mode "max"
  /// with a relative threshold. Does nothing for other schedules.
  bool add(const ScheduleConfig& config, double dice);
};

}  // namespace nephron::host
