#include <host/runs/folder_lock_wait.hpp>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/runs/process.hpp>
#include <host/util/file_range.hpp>

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

/// Those who hold it beside each other leave out a byte, far behind what the file holds, and lock that in turn.
constexpr off_t byte_of_turns = off_t{1} << 40;

struct flock but_for_turns() {
  return file_range(F_RDLCK, 0, byte_of_turns);
}
struct flock turn(short type) {
  return file_range(type, byte_of_turns, 1);
}

std::filesystem::path lock_file(const std::filesystem::path& folder) { return folder / ".lock"; }

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder, Beside beside) {
  const std::filesystem::path file = lock_file(folder);
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) throw Error("cannot write " + file.string() + ": " + std::strerror(errno));
  struct flock lock = beside == Beside::others ? but_for_turns() : file_range(F_WRLCK);
  if (::fcntl(fd_, F_OFD_SETLK, &lock) == 0) {
    const std::string text = "process " + std::to_string(::getpid()) + " on " + host_name() + "\n";
    // The words are for people; a full disk is no reason not to lock.
    if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, text.data(), text.size(), 0) < 0) return;
    return;
  }
  const int why = errno;
  if (why == EAGAIN || why == EACCES) other_holder_ = written_by_holder(fd_);
  ::close(std::exchange(fd_, -1));
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), other_holder_(std::move(other.other_holder_)) {}

void FolderLock::in_turn(const std::function<void()>& change) const {
  // Whoever holds it alone has this byte too, and takes it once more.
  if (fd_ >= 0) lock_range(fd_, turn(F_WRLCK));
  const auto end = [this] {
    struct flock free = turn(F_UNLCK);
    if (fd_ >= 0) ::fcntl(fd_, F_OFD_SETLK, &free);
  };
  try {
    change();
  } catch (...) {
    end();
    throw;
  }
  end();
}

FolderLock wait_for_lock(const std::filesystem::path& folder, std::chrono::milliseconds at_most) {
  const auto end = std::chrono::steady_clock::now() + at_most;
  while (true) {
    FolderLock lock(folder);
    if (!lock.other_holder()) return lock;
    if (std::chrono::steady_clock::now() >= end)
      throw Error(folder.string() + " is being written into" +
                      (lock.other_holder()->empty() ? "" : " by " + *lock.other_holder()),
                  "try again when that has ended");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

FolderLock::State FolderLock::ask(const std::filesystem::path& folder) {
  const int fd = ::open(lock_file(folder).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return State::unknown;
  struct flock lock = file_range(F_WRLCK);
  const bool answered = ::fcntl(fd, F_OFD_GETLK, &lock) == 0;
  ::close(fd);
  if (!answered) return State::unknown;
  return lock.l_type == F_UNLCK ? State::free : State::held;
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace nephron::host
