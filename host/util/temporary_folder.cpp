#include <host/util/temporary_folder.hpp>

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/log.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* owner = "owner.lock";  // only a folder that holds it is ours to remove

bool is_own_folder(const fs::path& folder) {
  struct stat info = {};
  return ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid();
}

/// Takes the lock of a folder whose owner is gone; -1 when there is none, or it is held.
int lock_of_abandoned(const fs::path& folder) {
  if (!is_own_folder(folder)) return -1;
  const int fd = ::open((folder / owner).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return -1;
}

void remove_abandoned(const fs::path& where, const std::string& prefix) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(where, ignored)) {
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    const int fd = lock_of_abandoned(entry.path());
    if (fd < 0) continue;
    fs::remove_all(entry.path(), ignored);
    ::close(fd);
    log().debug("removed " + entry.path().string() + ", which a killed process had left");
  }
}

}  // namespace

TemporaryFolder::TemporaryFolder(const std::string& prefix, const fs::path& where) {
  remove_abandoned(where, prefix);
  std::string name = (where / (prefix + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr)
    throw Error("cannot make a folder in " + where.string() + ": " + std::strerror(errno));
  folder_ = name;
  // Under its own name only once it is locked: another start must not take it for an abandoned one.
  const fs::path lock = folder_ / owner, fresh = folder_ / "owner.new";
  lock_ = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) == 0) ::rename(fresh.c_str(), lock.c_str());
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace nephron::host
