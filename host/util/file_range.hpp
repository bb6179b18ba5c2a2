#pragma once

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace nephron::host {

/// Bytes of a file as locks of open file descriptions (F_OFD_SETLK, F_OFD_GETLK) are asked for: `count` from `from` on;
/// 0: all that there are and will be. Such locks end with the last process that holds the description, know no number
/// of a process, and can be asked for without being taken.
inline struct flock file_range(short type, off_t from = 0, off_t count = 0) {
  struct flock out = {};
  out.l_type = type;
  out.l_whence = SEEK_SET;
  out.l_start = from;
  out.l_len = count;
  return out;
}

/// Waits until it is ours. False, and errno, where the disk knows no locks.
inline bool lock_range(int fd, struct flock range) {
  while (::fcntl(fd, F_OFD_SETLKW, &range) != 0)
    if (errno != EINTR) return false;
  return true;
}

}  // namespace nephron::host
