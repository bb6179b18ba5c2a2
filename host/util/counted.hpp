#pragma once

#include <cstdint>
#include <string>

namespace nephron::host {

/// "1 slide", "2 slides": a number and what it counts, for people.
inline std::string counted(std::uint64_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

}  // namespace nephron::host
