#pragma once

#include <filesystem>
#include <vector>

#include <host/plugins/registry.hpp>

namespace nephron::host {

/// A plugin file that was found, or one that was named and is perhaps not there.
struct FoundFile {
  std::filesystem::path file;  ///< its real path where it exists
  bool named = false;          ///< by the command line or the experiment: then it must be usable
  bool installed = false;      ///< it came with this program, so it needs no trial in a child process
};

/// Files in the order of SDK rule 7: command line, experiment, NEPHRON_PLUGIN_PATH, user folder, install folder. A
/// folder stands for its *.so files in alphabetic order; a file that is found twice counts once. A program that was
/// laid out from a snapshot (replay/snapshot.hpp) has all of its plugins in the install folder: the two before it are
/// not looked into, and of a file that is named, the copy does not count.
std::vector<FoundFile> find_plugin_files(const PluginSearch& search);

/// ${XDG_DATA_HOME:-~/.local/share}/nephron; empty when there is no home.
std::filesystem::path user_data_folder();
/// ${XDG_DATA_HOME:-~/.local/share}/nephron/plugins; empty when there is no home.
std::filesystem::path user_plugin_folder();
/// ${XDG_CACHE_HOME:-~/.cache}/nephron; empty when there is no home.
std::filesystem::path user_cache_folder();

}  // namespace nephron::host
