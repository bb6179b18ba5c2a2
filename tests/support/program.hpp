#pragma once

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <host/util/files.hpp>

namespace nephron::host {

/// A started program; its output goes to a file.
class StartedProgram {
 public:
  /// `command`: the program and its arguments.
  StartedProgram(std::vector<std::string> command, std::filesystem::path output) : output_(std::move(output)) {
    std::vector<char*> argv;
    for (std::string& a : command) argv.push_back(a.data());
    argv.push_back(nullptr);
    const int out = ::open(output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out, 1);
      ::dup2(out, 2);
      ::signal(SIGXFSZ, SIG_IGN);  // so that a write beyond limit_files() fails, as on a full disk
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(out);
  }
  ~StartedProgram() {
    if (pid_ > 0 && !done()) signal(SIGKILL), wait();
  }
  StartedProgram(const StartedProgram&) = delete;
  StartedProgram& operator=(const StartedProgram&) = delete;
  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  /// From now on it cannot write more than this many bytes into any one file.
  void limit_files(std::size_t bytes) const {
    const rlimit limit{bytes, RLIM_INFINITY};
    ::prlimit(pid_, RLIMIT_FSIZE, &limit, nullptr);
  }
  bool done() { return done_ || (done_ = ::waitpid(pid_, &status_, WNOHANG) == pid_); }
  /// Exit code, or minus the signal that ended it.
  int wait() {
    if (!done_) ::waitpid(pid_, &status_, 0);
    done_ = true;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
  }
  std::string output() const { return read_file(output_); }

 private:
  std::filesystem::path output_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool done_ = false;
};

/// Children of a process.
inline std::vector<int> children_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
  std::vector<int> out;
  for (int child = 0; file >> child;) out.push_back(child);
  return out;
}

}  // namespace nephron::host
