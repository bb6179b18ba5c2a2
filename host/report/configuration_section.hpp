#pragma once

#include <string>

#include <host/runs/run.hpp>

namespace nephron::host {

/// What the experiment changes in what it extends, as `nephron config diff` tells it, and all of it as it was resolved.
std::string configuration_section(const RunFolder& run);

}  // namespace nephron::host
