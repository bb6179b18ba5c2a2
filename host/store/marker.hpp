#pragma once

#include <filesystem>
#include <string>

namespace nephron::host {

/// What a folder is to a store of this version.
enum class StoreState {
  none,     ///< nothing is there yet: no folder, or an empty one
  earlier,  ///< slides of version 1, which are prepared again beside them
  current,
};

/// A folder is a store when it has the marker (store_marker), or was made before there was one and holds nothing but
/// slides whose records are ours. Throws Error, which says what was found, for a folder that holds something else, and
/// for a store of a later version.
StoreState store_state(const std::filesystem::path& store);
inline bool is_store(const std::filesystem::path& store) { return store_state(store) != StoreState::none; }

/// Makes a folder a store, or marks one of an earlier version or without a marker as one of this. Throws as
/// store_state() does, and for what cannot be written.
void claim_store(const std::filesystem::path& store);

/// A name that files of the store's folders have, while they are written too, and had in version 1.
bool is_store_file(const std::string& name);
/// A name that a record has.
bool is_record_file(const std::string& name);
/// Whether a file with such a name is a record of ours, of any version.
bool is_sound_record(const std::filesystem::path& file, const std::string& text);

}  // namespace nephron::host
