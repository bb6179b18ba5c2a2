#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// What a prediction in a folder was begun to write (the words of kept.hpp); empty: not said, by an old one. Throws
/// Error as read_prediction() does.
std::vector<std::string> begun_to_save(const std::filesystem::path& folder);

}  // namespace nephron::host
