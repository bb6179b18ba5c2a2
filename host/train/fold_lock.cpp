#include <host/train/fold_lock.hpp>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <nephron/error.hpp>

namespace nephron::host {

FoldLock::FoldLock(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / ".lock";
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) throw Error("cannot write " + file.string() + ": " + std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  const int why = errno;
  ::close(fd_);
  // A disk that knows no locks is no reason not to train.
  fd_ = -1;
  if (why == EWOULDBLOCK)
    throw Error("another process is training " + folder.string(), "Wait for it, or stop it first.");
}

FoldLock::~FoldLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace nephron::host
