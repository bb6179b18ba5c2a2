#pragma once

#include <c10/core/Device.h>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>
#include <host/predict/settings.hpp>

namespace nephron::host {

/// Throws Error, before weights are read, when the networks cannot run on batches of the settings in the memory that is
/// free, in so many `processes` side by side; warns when it is near. Pictures and their maps are not counted. With
/// whole pictures in place of tiles nothing is known in advance.
void require_prediction_memory(const PredictSettings& settings, const Experiment& experiment, const Registry& registry,
                               c10::Device device, int processes = 1);

}  // namespace nephron::host
