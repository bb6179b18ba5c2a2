#include <host/predict/output_lock.hpp>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <regex>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::string this_process() {
  char host[256] = "unknown";
  ::gethostname(host, sizeof host - 1);
  return "process " + std::to_string(::getpid()) + " on " + host;
}

std::string holder(int fd) {
  std::string text(300, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::pread(fd, text.data(), text.size(), 0))));
  return text.empty() ? "another process" : text.substr(0, text.find('\n'));
}

/// A number that no process has counts as gone; one that cannot be asked for counts as alive.
bool is_gone(const std::string& digits) {
  pid_t pid = 0;
  const auto [stop, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  if (failed != std::errc() || pid <= 0) return false;
  return pid == ::getpid() || (::kill(pid, 0) != 0 && errno == ESRCH);
}

int remove_from(const fs::path& folder, const std::string& written) {
  const std::regex half("(" + written + R"()\.tmp\.([0-9]{1,9})(\.[0-9]{1,10})?)"),
      probe(R"(\.nephron-probe\.([0-9]{1,9}))");
  int removed = 0;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    std::smatch match;
    std::string pid;
    if (std::regex_match(name, match, half)) pid = match[2];
    else if (std::regex_match(name, match, probe)) pid = match[1];
    std::error_code unknown;
    if (pid.empty() || !is_gone(pid) || entry->symlink_status(unknown).type() != fs::file_type::regular) continue;
    if (fs::remove(entry->path(), unknown)) ++removed;
  }
  return removed;
}

}  // namespace

OutputLock::OutputLock(const fs::path& folder) {
  require_writable(folder, 0);
  const fs::path file = folder / ".lock";
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) throw Error("cannot write " + file.string() + ": " + std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return;  // a disk without locks is no reason to stop
    const std::string who = holder(fd_);
    ::close(fd_);
    throw Error(folder.string() + " is being predicted into by " + who,
                "Wait for it, or name another folder: two predictions in one folder would mix.");
  }
  const std::string me = this_process() + "\n";
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, me.data(), me.size(), 0) < 0) return;  // it only says who holds it
}

OutputLock::~OutputLock() {
  if (fd_ >= 0) ::close(fd_);
}

int remove_leftovers(const OutputFolder& output) {
  int removed = remove_from(output.folder(), R"(scores\.json|predict\.json)");
  removed += remove_from(output.picture("x").parent_path(), R"([^/]+\.json)");
  for (const fs::path& folder : output.map_folders()) removed += remove_from(folder, R"([^/]+\.png)");
  return removed;
}

}  // namespace nephron::host
