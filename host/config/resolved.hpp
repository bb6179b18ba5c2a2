#pragma once

#include <filesystem>
#include <memory>

#include <host/config/load.hpp>

namespace nephron::host {

// Experiments that were resolved already: many of one file, each with changes of its own.

/// Lays a table upon a resolved experiment as --set does, with the places where its values were written.
void lay_upon(Value& experiment, const Value& over, Diagnostics& faults);

/// As load_experiment() does with what it has resolved. `faults`: of that.
Experiment load_resolved(const std::filesystem::path& file, Value resolved, PluginSearch search,
                         std::unique_ptr<Registry>& registry, Diagnostics faults, const FurtherCheck& further = {});

}  // namespace nephron::host
