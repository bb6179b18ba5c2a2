#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nephron/plugin.hpp>

namespace nephron::host {

/// What the macros of <nephron/plugin.hpp> wrote into a plugin file.
struct PluginRecords {
  struct Component {
    std::string kind;
    std::string name;
    std::string doc;
  };
  std::string name;
  std::string version;
  unsigned sdk_major = 0;
  unsigned sdk_minor = 0;
  std::string torch;  ///< LibTorch builds of all its sources, one where they agree; empty: it does not use LibTorch
  std::string nn;     ///< versions of nephron whose nn/ its sources include; empty: none does
  std::string compiler;
  std::string cxx_abi;
  std::string build;
  std::vector<Component> components;
  /// Symbols that the plugin takes from elsewhere, as the dynamic linker spells them.
  std::vector<std::string> imports;
};

/// Reads the records of a 64-bit ELF shared object without loading it; safe for any bytes (SDK rule 1).
/// Throws Error that says what the file is in place of a plugin.
PluginRecords read_records(const std::filesystem::path& file);

}  // namespace nephron::host
