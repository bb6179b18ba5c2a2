#pragma once

#include <chrono>
#include <filesystem>

#include <host/runs/folder_lock.hpp>

namespace nephron::host {

/// The lock of a folder once nobody else holds it, for what each holds a moment. Throws Error that names the holder
/// when this takes longer.
FolderLock wait_for_lock(const std::filesystem::path& folder, std::chrono::milliseconds at_most);

}  // namespace nephron::host
