#pragma once

#include <string>

#include <host/config/experiment.hpp>

namespace nephron::host {

/// What an experiment calls a dataset: its name, or its type.
const std::string& name_of(const DatasetConfig& dataset);

/// The experiment with one of its datasets alone, by name or type. Throws Error that names those there are.
Experiment with_dataset(Experiment experiment, const std::string& wanted);

}  // namespace nephron::host
