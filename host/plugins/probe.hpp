#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/plugins/elf_records.hpp>

namespace nephron::host {

/// The command that loads a plugin in a child process and calls report_survival(); the file is added to it. Empty, as
/// in programs other than nephron: plugins are loaded without a trial.
void set_probe_command(std::vector<std::string> command);

/// A static initialiser that throws, exits or hangs would take this program with it. So a file that has not been
/// loaded before is tried in a child process. What survived is remembered by path, size and time of change.
/// Throws Error that says how the child ended.
void probe(const std::filesystem::path& file, const PluginRecords& records);

/// The child's part: loads the plugin, and says so when this process is still there. Whether loading threw does not
/// matter: the parent finds out by itself, safely.
void load_and_report_survival(const std::filesystem::path& file);

}  // namespace nephron::host
