#pragma once

#include <cstdint>

#include <host/config/experiment.hpp>

namespace nephron::host {

/// Share of the learning rate at optimiser step `step` (0-based) of `total`: a linear rise over int(warmup * total)
/// steps, then constant, or falling to 0 in a line or in half a cosine.
double schedule_factor(const ScheduleConfig& config, std::int64_t step, std::int64_t total);

}  // namespace nephron::host
