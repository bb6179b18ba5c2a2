#include <host/plugins/child.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace {

using Clock = std::chrono::steady_clock;

// Starting a program that is linked with LibTorch takes seconds on a busy machine; that is nobody's hang.
constexpr double starting_patience = 60;

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
    close(0);
    close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close(int i) {
    if (ends[i] >= 0) ::close(ends[i]);
    ends[i] = -1;
  }
};

pid_t spawn(const std::vector<std::string>& command, const Pipe& output, const Pipe& report) {
  std::vector<char*> arguments;
  for (const std::string& a : command) arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
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

/// Reads what is there; false at the end of the pipe.
template <class Sink>
bool drain(int descriptor, Sink&& sink) {
  char buffer[4096];
  const ssize_t n = ::read(descriptor, buffer, sizeof buffer);
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  if (n > 0) sink(std::string_view(buffer, static_cast<std::size_t>(n)));
  return n > 0;
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

ChildEnd run_child(const std::vector<std::string>& command, double patience,
                   const std::function<void(std::string_view)>& on_report) {
  constexpr std::size_t kept_output = 4096;
  Pipe output, report;
  const pid_t pid = spawn(command, output, report);
  output.close(1);
  report.close(1);

  ChildEnd end;
  end.patience = patience;
  bool heard = false;
  auto last_word = Clock::now();
  const auto keep = [&](std::string_view text) {
    end.output += text;
    if (end.output.size() > 2 * kept_output) end.output.erase(0, end.output.size() - kept_output);
  };
  const auto listen = [&](int milliseconds) {
    pollfd sources[2] = {{output.ends[0], POLLIN, 0}, {report.ends[0], POLLIN, 0}};  // poll ignores descriptor -1
    if (::poll(sources, 2, milliseconds) <= 0) return false;
    if (sources[0].revents != 0 && !drain(output.ends[0], keep)) output.close(0);
    if (sources[1].revents != 0) {
      last_word = Clock::now();
      heard = true;
      if (!drain(report.ends[0], on_report)) report.close(0);
    }
    return true;
  };

  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    const double silence = std::chrono::duration<double>(Clock::now() - last_word).count();
    if (interrupted() || silence > (heard ? patience : std::max(patience, starting_patience))) {
      end.silent = !interrupted();
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      break;
    }
    const bool both_closed = output.ends[0] < 0 && report.ends[0] < 0;
    if (both_closed) ::poll(nullptr, 0, 2);
    else listen(50);
  }
  ::kill(-pid, SIGKILL);  // whatever it started itself
  while ((output.ends[0] >= 0 || report.ends[0] >= 0) && listen(0)) {}
  if (interrupted()) throw Cancelled();
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  else end.code = WEXITSTATUS(status);
  return end;
}

void enter_child() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::signal(number, SIG_DFL);
  constexpr rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

}  // namespace nephron::host
