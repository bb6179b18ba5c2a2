#include <host/train/run_lock.hpp>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/runs/process.hpp>

namespace nephron::host {

namespace {

/// What the holder wrote; "" when it wrote nothing yet. It may be anything, so it is cut to a line.
std::string holder(int fd) {
  char text[200];
  const ssize_t n = ::pread(fd, text, sizeof text, 0);
  std::string out(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& run) {
  const std::filesystem::path file = run / ".lock";
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) throw Error("cannot write " + file.string() + ": " + std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
    const std::string text = "process " + std::to_string(::getpid()) + " on " + host_name() + "\n";
    // The words are for people; a full disk is no reason not to lock.
    if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, text.data(), text.size(), 0) < 0) return;
    return;
  }
  const int why = errno;
  const std::string who = holder(fd_);
  ::close(std::exchange(fd_, -1));
  // A disk that knows no locks is no reason not to train.
  if (why == EWOULDBLOCK)
    throw Error("another process is training " + run.string() + (who.empty() ? "" : ": " + who),
                "Wait for it, or stop it first.");
}

RunLock::RunLock(RunLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

RunLock::~RunLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace nephron::host
