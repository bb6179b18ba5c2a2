#include <host/runs/folder_lock.hpp>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/runs/process.hpp>

namespace nephron::host {

namespace {

/// What the holder wrote; "" when it wrote nothing yet. It may be anything, so it is cut to a line.
std::string written_by_holder(int fd) {
  char text[300];
  const ssize_t n = ::pread(fd, text, sizeof text, 0);
  std::string out(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / ".lock";
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) throw Error("cannot write " + file.string() + ": " + std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
    const std::string text = "process " + std::to_string(::getpid()) + " on " + host_name() + "\n";
    // The words are for people; a full disk is no reason not to lock.
    if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, text.data(), text.size(), 0) < 0) return;
    return;
  }
  const int why = errno;
  if (why == EWOULDBLOCK) other_holder_ = written_by_holder(fd_);
  ::close(std::exchange(fd_, -1));
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), other_holder_(std::move(other.other_holder_)) {}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace nephron::host
