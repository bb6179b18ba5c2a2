#include <host/util/child_process.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t kept_output = 4096;

/// A pipe whose ends lie above the descriptors that the child's own are made from.
struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    int low[2];
    if (::pipe2(low, O_CLOEXEC) != 0) throw Error(std::string("cannot make a pipe: ") + std::strerror(errno));
    for (int i = 0; i < 2; ++i) {
      ends[i] = ::fcntl(low[i], F_DUPFD_CLOEXEC, 16);
      ::close(low[i]);
    }
  }
  ~Pipe() {
    for (const int end : ends)
      if (end >= 0) ::close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int take_reader() { return std::exchange(ends[0], -1); }
};

/// Both ends of a way to a child's stdin, on which a word to one that is gone raises no signal. [0] is the child's.
struct InputWay {
  int ends[2] = {-1, -1};
  InputWay() {
    int low[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, low) != 0)
      throw Error(std::string("cannot make a socket: ") + std::strerror(errno));
    for (int i = 0; i < 2; ++i) {
      ends[i] = ::fcntl(low[i], F_DUPFD_CLOEXEC, 16);
      ::close(low[i]);
    }
  }
  ~InputWay() {
    for (const int end : ends)
      if (end >= 0) ::close(end);
  }
  InputWay(const InputWay&) = delete;
  InputWay& operator=(const InputWay&) = delete;
  int take_writer() { return std::exchange(ends[1], -1); }
};

/// `input`: -1: none.
pid_t spawn(const std::vector<std::string>& command, const Pipe& output, const Pipe& report, int input) {
  std::vector<char*> arguments;
  for (const std::string& a : command) arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  if (input >= 0) posix_spawn_file_actions_adddup2(&files, input, 0);
  else posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output.ends[1], 1);
  posix_spawn_file_actions_adddup2(&files, output.ends[1], 2);
  posix_spawn_file_actions_adddup2(&files, report.ends[1], report_descriptor);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, command.front().c_str(), &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) throw Error("cannot start " + command.front() + ": " + std::strerror(failed));
  return pid;
}

}  // namespace

std::string ChildEnd::text() const {
  std::string out;
  if (silent) out = "it did not answer for " + std::to_string(std::lround(std::ceil(patience))) + " s and was stopped";
  else if (signal != 0) out = "it was killed by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
  else out = "it exited with code " + std::to_string(code);
  std::string words = output.substr(output.size() - std::min<std::size_t>(output.size(), 300));
  if (words.size() < output.size()) words.erase(0, words.find('\n') + 1);
  for (char& c : words)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  words.erase(0, words.find_first_not_of(' '));
  words.erase(words.find_last_not_of(' ') + 1);
  return words.empty() ? out : out + "; its last words: " + words;
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, std::function<void(std::string_view)> on_report,
                           bool listens)
    : on_report_(std::move(on_report)) {
  Pipe output, report;
  std::optional<InputWay> input;
  if (listens) input.emplace();
  pid_ = spawn(command, output, report, listens ? input->ends[0] : -1);
  if (listens) input_ = input->take_writer();
  output_ = output.take_reader();
  report_ = report.take_reader();
}

ChildProcess::~ChildProcess() {
  if (!over_) kill();
  for (const int descriptor : {output_, report_, input_})
    if (descriptor >= 0) ::close(descriptor);
}

/// Reads what is there; closes the descriptor at the end of the pipe.
bool ChildProcess::hear(int& descriptor, const std::function<void(std::string_view)>& sink) {
  char buffer[4096];
  const ssize_t n = ::read(descriptor, buffer, sizeof buffer);
  if (n > 0) sink(std::string_view(buffer, static_cast<std::size_t>(n)));
  if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) ::close(std::exchange(descriptor, -1));
  return n > 0;
}

bool ChildProcess::listen(std::span<ChildProcess* const> children, int milliseconds) {
  std::vector<pollfd> sources;  // poll ignores descriptor -1
  for (const ChildProcess* child : children) {
    sources.push_back({child->output_, POLLIN, 0});
    sources.push_back({child->report_, POLLIN, 0});
  }
  if (::poll(sources.data(), sources.size(), milliseconds) <= 0) return false;
  for (std::size_t i = 0; i < children.size(); ++i) {
    ChildProcess& child = *children[i];
    if (sources[2 * i].revents != 0)
      child.hear(child.output_, [&](std::string_view text) {
        child.end_.output += text;
        if (child.end_.output.size() > 2 * kept_output)
          child.end_.output.erase(0, child.end_.output.size() - kept_output);
      });
    if (sources[2 * i + 1].revents != 0) {
      child.reported_ = true;
      child.hear(child.report_, child.on_report_);
    }
  }
  return true;
}

bool ChildProcess::ended() {
  int status = 0;
  if (!over_ && ::waitpid(pid_, &status, WNOHANG) == pid_) finish(status);
  return over_;
}

void ChildProcess::kill() noexcept {
  if (over_) return;
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
  finish(status);
}

void ChildProcess::finish(int status) {
  over_ = true;
  ::kill(-pid_, SIGKILL);  // whatever it started itself
  ChildProcess* const self = this;
  while (speaks() && listen({&self, 1}, 0)) {}
  if (WIFSIGNALED(status)) end_.signal = WTERMSIG(status);
  else end_.code = WEXITSTATUS(status);
}

void ChildProcess::signal(int number) const noexcept {
  if (!over_) ::kill(pid_, number);
}

void ChildProcess::tell(std::string_view text) noexcept {
  while (input_ >= 0 && !text.empty()) {
    const ssize_t n = ::send(input_, text.data(), text.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return tell_no_more();
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void ChildProcess::tell_no_more() noexcept {
  if (input_ >= 0) ::close(std::exchange(input_, -1));
}

std::vector<std::string> own_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> out;
  for (std::string word; std::getline(file, word, '\0');) out.push_back(word);
  if (out.empty()) throw Error("/proc/self/cmdline does not say how this program was called");
  out.front() = std::filesystem::read_symlink("/proc/self/exe").string();
  return out;
}

void die_with_parent() { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

}  // namespace nephron::host
