#pragma once

#include <nephron/value.hpp>

#include <host/config/experiment.hpp>

namespace nephron::host {

/// What concerns several keys at once. `written`: the resolved file, for positions. Call it when every key is good.
void check_together(const Experiment& experiment, const Value& written, Diagnostics& faults);

}  // namespace nephron::host
