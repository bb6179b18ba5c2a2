#pragma once

#include <filesystem>
#include <string>

#include <nephron/plugin.hpp>

#include <host/plugins/elf_records.hpp>

namespace nephron::host {

/// "\"focal\" (/path/focal.so)": how messages name a plugin.
std::string plugin_text(const PluginRecords& records, const std::filesystem::path& file);

/// Loads a plugin whose records fit, for good (RTLD_NOW, RTLD_LOCAL; never unloaded), and checks that what its entry
/// point returns is what the records promise. Throws Error.
const detail::PluginTable& load_library(const std::filesystem::path& file, const PluginRecords& records);

}  // namespace nephron::host
