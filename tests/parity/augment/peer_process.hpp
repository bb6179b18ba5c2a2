#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace nephron::host {

inline std::filesystem::path peers_python() {
  namespace fs = std::filesystem;
  if (const char* named = std::getenv("NEPHRON_PEERS")) return named;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path folder = cache != nullptr ? fs::path(cache) : home != nullptr ? fs::path(home) / ".cache" : fs::path();
  const fs::path python = folder / "nephron/peers/bin/python";
  return fs::exists(python) ? python : fs::path();
}

/// peer.py, started once for all tests of a program: Albumentations takes seconds to import.
class PeerProcess {
 public:
  explicit PeerProcess(const std::filesystem::path& python) {
    std::signal(SIGPIPE, SIG_IGN);  // a peer that has ended shows in its answer
    std::array<int, 2> to{}, from{};
    if (pipe(to.data()) != 0 || pipe(from.data()) != 0) throw std::runtime_error("no pipe to the peer");
    child_ = fork();
    if (child_ == 0) {
      dup2(to[0], STDIN_FILENO), dup2(from[1], STDOUT_FILENO);
      for (const int end : {to[0], to[1], from[0], from[1]}) close(end);
      execl(python.c_str(), python.c_str(), NEPHRON_SOURCE_DIR "/tests/parity/augment/peer.py", nullptr);
      _exit(127);
    }
    close(to[0]), close(from[1]);
    questions_ = fdopen(to[1], "w");
    answers_ = fdopen(from[0], "r");
  }
  ~PeerProcess() {
    std::fclose(questions_), std::fclose(answers_);
    waitpid(child_, nullptr, 0);
  }
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  /// Has it do the jobs of a folder; what went wrong, or "".
  std::string run(const std::filesystem::path& folder) {
    std::fprintf(questions_, "%s\n", folder.c_str());
    std::fflush(questions_);
    std::string answer;
    for (int c = std::fgetc(answers_); c != '\n'; c = std::fgetc(answers_)) {
      if (c == EOF) return "the peer has ended: " + answer;
      answer += static_cast<char>(c);
    }
    return answer == "done" ? "" : answer;
  }

 private:
  pid_t child_ = -1;
  std::FILE* questions_ = nullptr;
  std::FILE* answers_ = nullptr;
};

}  // namespace nephron::host
