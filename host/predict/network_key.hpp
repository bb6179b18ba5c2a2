#pragma once

#include <string>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// SHA-256 of all that an experiment says of what its weights answer: the model's parts, the classes, and what pixels
/// go through before the model sees them. Equal for whatever means the same, written out or not; files that normalise
/// slides count by what they hold.
std::string network_key(const Experiment& experiment, const Registry& registry);

}  // namespace nephron::host
