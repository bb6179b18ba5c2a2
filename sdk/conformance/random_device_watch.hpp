#pragma once

#include <cstdint>

namespace nephron::conformance {

/// How often std::random_device was read in this process. The program that links this takes the place of the C++
/// library's function (exported where plugins are loaded: host/cli/CMakeLists.txt), so that a read is counted when the
/// component makes it, not when some other component of its file could.
std::uint64_t random_device_reads() noexcept;

}  // namespace nephron::conformance
