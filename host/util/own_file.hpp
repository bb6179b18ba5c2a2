#pragma once

#include <filesystem>
#include <string_view>

namespace nephron::host {

/// As write_file_atomically(), but of a file that its owner alone may ever change, whatever the umask.
void write_own_file(const std::filesystem::path& file, std::string_view bytes);

}  // namespace nephron::host
