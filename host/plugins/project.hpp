#pragma once

#include <filesystem>
#include <vector>

namespace nephron::host {

/// Configures and builds a plugin's project, FOLDER/CMakeLists.txt, in FOLDER/build with CMake, against the package
/// that this program stands in. What CMake and the compiler say goes to the terminal. Returns the plugin files of the
/// build folder. Throws Error when a tool is missing, a step fails or no plugin came of it; UsageError for a path that
/// CMake cannot build in; Cancelled after Ctrl-C.
std::vector<std::filesystem::path> build_plugin_project(const std::filesystem::path& folder);

}  // namespace nephron::host
