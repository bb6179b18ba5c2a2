#pragma once

#include <nephron/value.hpp>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// Adds a fault for every pattern of [train] that names no parameter of the experiment's network, and for what
/// parameter groups and freezing cannot do with that network. It is built for this, without weights; not where nothing
/// asks for it, or `faults` are known already.
void check_parts(const Experiment& experiment, const Registry& registry, Diagnostics& faults);

}  // namespace nephron::host
