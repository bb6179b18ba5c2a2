#pragma once

#include <cerrno>
#include <string_view>

#include <unistd.h>

namespace nephron::host {

/// Writes all of it, whatever interrupts. False, and errno, where the disk does not take it.
inline bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace nephron::host
