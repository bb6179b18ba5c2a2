#pragma once

#include <nephron/value.hpp>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// Makes datasets, samplers and augmentations of samples, and adds a fault for everything that they say of their
/// parameters (ParameterCheck): folders and files that are not there or not read, classes that the experiment has not.
/// Components whose tables hold faults already are passed over.
void check_parameters(const Experiment& experiment, const Registry& registry, Diagnostics& faults);

}  // namespace nephron::host
