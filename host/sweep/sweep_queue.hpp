#pragma once

#include <string>
#include <vector>

#include <host/sweep/sweep_folder.hpp>

namespace nephron::host {

/// Puts so many processes of the sweep into the machine's queue (`nephron submit`), each of which goes on with it until
/// nothing is left. Returns what the queue calls them. Throws Error behind what the queue said.
std::vector<std::string> put_in_line(const SweepFolder& sweep, int jobs);

}  // namespace nephron::host
