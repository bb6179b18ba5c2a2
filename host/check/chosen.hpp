#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/check/check.hpp>
#include <host/plugins/elf_records.hpp>

namespace nephron::host {

/// A component that is checked, and what `--set` says to it.
struct Chosen {
  PluginRecords::Component component;
  std::vector<std::string> overrides;
};

/// What the options choose of a plugin that can be loaded. Throws UsageError for an option that names what is not
/// there, or that would do nothing: whoever mistypes it made the mistake, not the plugin. Parameters are told by the
/// components, in a child each; when one dies there, its checks will say so.
std::vector<Chosen> choose_components(const std::filesystem::path& file, const PluginRecords& records,
                                      const CheckOptions& options);

}  // namespace nephron::host
