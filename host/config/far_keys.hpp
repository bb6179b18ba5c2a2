#pragma once

#include <nephron/value.hpp>

#include <host/config/components.hpp>

namespace nephron::host {

/// People remember the last part of a key and not where it lies. Adds to each "unknown key" among `faults` the keys of
/// other tables of the experiment that are called so, or nearly so: did you mean "train.optimizer.lr"?
void point_elsewhere(const Value& resolved, const Components& components, Diagnostics& faults);

}  // namespace nephron::host
