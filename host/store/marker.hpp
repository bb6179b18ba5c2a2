#pragma once

#include <filesystem>
#include <string>

namespace nephron::host {

/// Whether a folder is a store: it has the marker (store_marker), or was made before there was one and holds nothing
/// but slides whose records are ours. False where nothing is yet: no folder, or an empty one. Throws Error, which says
/// what was found, for a folder that holds something else, and for a store of another version.
bool is_store(const std::filesystem::path& store);

/// Makes a folder a store, or marks one that has no marker. Throws as is_store() does, and for what cannot be written.
void claim_store(const std::filesystem::path& store);

/// A name that files of a slide's folder have, while they are written too.
bool is_store_file(const std::string& name);

}  // namespace nephron::host
