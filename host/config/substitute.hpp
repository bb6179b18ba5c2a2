#pragma once

#include <nephron/value.hpp>

namespace nephron::host {

/// Replaces ${NAME} and ${NAME:-default} in every string by environment variables; $${ stands for ${ itself.
/// Adds a fault for each that is unset, and leaves that string as it is.
void substitute(Value& value, Diagnostics& faults);

/// The other way, for writing a string into an experiment file.
std::string escape_substitution(const std::string& text);

}  // namespace nephron::host
