#pragma once

#include <string>
#include <vector>

#include <host/config/experiment.hpp>

namespace nephron::host {

/// Settings of batch, epochs and batches an epoch for the experiment's encoder and tile, from the table that comes with
/// nephron (experiments/base/reference-batches.toml); says which. Throws ConfigError with the place of an encoder that
/// the table has not, and names those it has.
std::vector<std::string> reference_batches(const Experiment& experiment);

}  // namespace nephron::host
