#pragma once

#include <cstdint>
#include <filesystem>

namespace nephron::host {

/// Bytes that this process can still take before the kernel ends it: what the machine has free (caches and swap
/// included), or less where a control group allows less. A very large number where neither can be told.
std::int64_t free_memory();

/// The same, read below another root; for tests.
std::int64_t free_memory(const std::filesystem::path& root);

}  // namespace nephron::host
