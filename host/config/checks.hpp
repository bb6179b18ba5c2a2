#pragma once

#include <nephron/value.hpp>

#include <host/config/experiment.hpp>

namespace nephron::host {

/// Whether one of the faults lies in a value, or in what it holds.
bool holds_fault(const Value& value, const Diagnostics& faults);

/// What concerns several keys at once. `written`: the resolved file, for positions. Keys that `faults` names already
/// are judged no further.
void check_together(const Experiment& experiment, const Value& written, Diagnostics& faults);
/// The part of it that concerns [train] alone.
void check_training(const TrainConfig& train, const Value& written, Diagnostics& faults);

}  // namespace nephron::host
