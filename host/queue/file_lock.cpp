#include <host/queue/file_lock.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include <nephron/error.hpp>

#include <host/util/file_range.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// Opened for locking; made where it is missing, for everybody whatever the umask. Never a link, and not what anybody
/// has put there in place of a file.
Descriptor open_lock_file(const fs::path& file) {
  int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT) {
    fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd >= 0) ::fchmod(fd, 0666);
    else if (errno == EEXIST) fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  }
  Descriptor out(fd);
  struct stat info = {};
  if (!out.good()) throw Error("cannot open the lock file " + file.string() + ": " + std::strerror(errno));
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
    throw Error(file.string() + " is no plain file", "Remove it: the queue makes its lock files itself.");
  return out;
}

}  // namespace

bool lock_bytes(int fd, std::int64_t from, std::int64_t count) {
  struct flock lock = file_range(F_WRLCK, from, count);
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  throw Error(std::string("cannot lock a file of the queue's spool: ") + std::strerror(errno),
              "The spool must lie on a disk of this machine that knows locks; NEPHRON_SPOOL names another folder.");
}

void lock_and_wait(int fd) {
  if (!lock_range(fd, file_range(F_WRLCK)))
    throw Error(std::string("cannot lock a file of the queue's spool: ") + std::strerror(errno));
}

bool bytes_held(int fd, std::int64_t from, std::int64_t count) {
  struct flock lock = file_range(F_WRLCK, from, count);
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool held_for_writing(int fd) {
  struct flock lock = file_range(F_RDLCK);  // which nothing else is in the way of
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

PartLocks::PartLocks(const fs::path& folder, const Machine& machine) : folder_(folder), machine_(machine) {
  for (std::size_t i = 0; i <= machine.gpus.size(); ++i) open_lock_file(file(i));
}

fs::path PartLocks::file(std::size_t gpu) const {
  return folder_ / (gpu < machine_.gpus.size() ? "gpu-" + std::to_string(gpu) : "cores");
}

Parts PartLocks::held() const {
  Parts out;
  for (std::size_t i = 0; i < machine_.gpus.size(); ++i) {
    const Descriptor fd = open_lock_file(file(i));
    if (!bytes_held(fd.get())) continue;
    for (int k = 0; k < gpu_parts; ++k)
      if (bytes_held(fd.get(), k, 1)) out.gpus[i] = static_cast<GpuMask>(out.gpus[i] | (1U << k));
  }
  const Descriptor fd = open_lock_file(file(machine_.gpus.size()));
  if (!bytes_held(fd.get())) return out;
  for (int k = 0; k < machine_.cores; ++k)
    if (bytes_held(fd.get(), k, 1)) out.cores.set(static_cast<std::size_t>(k));
  return out;
}

std::optional<std::vector<Descriptor>> PartLocks::take(const Parts& parts) const {
  std::vector<Descriptor> out;
  for (std::size_t i = 0; i < machine_.gpus.size(); ++i) {
    if (parts.gpus[i] == 0) continue;
    out.push_back(open_lock_file(file(i)));
    for (int k = 0; k < gpu_parts; ++k)
      if ((parts.gpus[i] >> k & 1) != 0 && !lock_bytes(out.back().get(), k, 1)) return std::nullopt;
  }
  if (parts.cores.none()) return out;
  out.push_back(open_lock_file(file(machine_.gpus.size())));
  for (int k = 0; k < machine_.cores; ++k)
    if (parts.cores[static_cast<std::size_t>(k)] && !lock_bytes(out.back().get(), k, 1)) return std::nullopt;
  return out;
}

Descriptor keep_over_exec(Descriptor fd) {
  const int high = ::fcntl(fd.get(), F_DUPFD, 64);
  if (high < 0) throw Error(std::string("cannot keep a lock open: ") + std::strerror(errno));
  return Descriptor(high);
}

}  // namespace nephron::host
