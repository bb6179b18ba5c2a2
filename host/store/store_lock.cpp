#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/store/store_folder.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

StoreLock::StoreLock(const StoreFolder& folder, For what) {
  const std::filesystem::path file = folder.path() / ".lock";
  const bool writing = what == For::writing;
  fd_ = ::open(file.c_str(), (writing ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0 && !writing) return;  // a store that was copied without its locks
  if (fd_ < 0)
    throw Error("cannot write into " + folder.path().string() + ": " + std::strerror(errno),
                "prepare the slides where the store can be written, or name another folder in data.store");
  constexpr auto pause = std::chrono::milliseconds(50);  // flock() itself would not notice Ctrl-C
  for (bool said = false; ::flock(fd_, (writing ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0;
       std::this_thread::sleep_for(pause)) {
    if (errno != EWOULDBLOCK && errno != EINTR) return;  // a disk without locks is no reason to stop
    if (interrupted()) {
      ::close(fd_);
      throw Cancelled();
    }
    if (!said) log().info("waiting for another process that prepares " + folder.path().filename().string());
    said = true;
  }
}

StoreLock::~StoreLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace nephron::host
