#pragma once

#include <filesystem>
#include <optional>

#include <nephron/value.hpp>

namespace nephron::host {

/// What an experiment's file `extends`, all of its bases joined and carried out; nothing where it extends nothing.
/// Faults are added.
std::optional<Value> resolve_bases(const std::filesystem::path& file, Diagnostics& faults);

}  // namespace nephron::host
