#pragma once

#include <nephron/value.hpp>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// Makes datasets and samplers and adds a fault for everything that they say of their parameters (ParameterCheck):
/// folders that are not there, classes that the experiment has not. Components whose tables hold faults already are
/// passed over.
void check_parameters(const Experiment& experiment, const Registry& registry, Diagnostics& faults);

}  // namespace nephron::host
