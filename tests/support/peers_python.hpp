#pragma once

#include <cstdlib>
#include <filesystem>

namespace nephron {

/// The interpreter that has the Python peers; it need not be there (./nephron peers makes it).
inline std::filesystem::path peers_python() {
  if (const char* named = std::getenv("NEPHRON_PEERS")) return named;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  return (cache != nullptr ? std::filesystem::path(cache)
                           : std::filesystem::path(home != nullptr ? home : "") / ".cache") /
         "nephron/peers/bin/python";
}

}  // namespace nephron
