#pragma once

#include <cstdlib>
#include <filesystem>

namespace nephron::host {

constexpr const char* no_shared_data = "no ../shared/data, and NEPHRON_SHARED is not set";

/// ../shared/data or NEPHRON_SHARED/data; empty when it is not there.
inline std::filesystem::path shared_data() {
  const char* const named = std::getenv("NEPHRON_SHARED");
  const std::filesystem::path folder =
      named != nullptr ? std::filesystem::path(named) / "data"
                       : std::filesystem::path(NEPHRON_SOURCE_DIR).parent_path() / "shared" / "data";
  return std::filesystem::is_directory(folder) ? folder : std::filesystem::path();
}

}  // namespace nephron::host
