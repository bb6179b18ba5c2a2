#pragma once

#include <string>
#include <vector>

#include <host/plugins/elf_records.hpp>

namespace nephron::host {

/// One row in which a plugin and this program differ.
struct FingerprintRow {
  std::string what;
  std::string plugin;
  std::string host;
};

/// The rows that keep the plugin from being loaded here; none when it fits (SDK rules 1 and 8).
std::vector<FingerprintRow> differing_rows(const PluginRecords& plugin);

/// Throws Error with a table of the differing rows, if there are any.
void require_fitting(const std::string& file, const PluginRecords& plugin);

}  // namespace nephron::host
