#pragma once

#include <string>

namespace nephron::host {

/// Whether a variable of the environment is of this terminal and these processes alone, so that a job which runs later,
/// or elsewhere, is not to have it: of ssh, of torchrun, of the job in which this program itself runs.
bool is_passing_variable(const std::string& name);

}  // namespace nephron::host
