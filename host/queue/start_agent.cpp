#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/queue/agent.hpp>
#include <host/queue/scene.hpp>
#include <host/util/pages.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr off_t most_log = 1 << 20;

/// Twice forked, so that it is nobody's child, and without anything of this process but its environment.
[[noreturn]] void become_agent(const std::string& program, const std::string& log) {
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  const int in = ::open("/dev/null", O_RDWR);
  ::dup2(in, 0);
  ::dup2(out >= 0 ? out : in, 1);
  ::dup2(out >= 0 ? out : in, 2);
  for (int fd = 3; fd < 1024; ++fd) ::close(fd);
  static_cast<void>(!::chdir("/"));
  ::signal(SIGHUP, SIG_IGN);
  ::execl(program.c_str(), program.c_str(), "queue", "agent", nullptr);
  ::_exit(127);
}

std::string last_line(const fs::path& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) last = line;
  return last;
}

bool is_there(const Spool& spool) { return UserFolder(spool.folder(), ::geteuid()).held(agent_lock); }

}  // namespace

void start_agent(const Spool& spool) {
  if (is_there(spool)) return;
  const fs::path log = spool.own() / "agent.log";
  struct stat info = {};
  if (::stat(log.c_str(), &info) == 0 && info.st_size > most_log) ::rename(log.c_str(), (log.string() + ".1").c_str());
  ::setenv("NEPHRON_SPOOL", spool.folder().c_str(), 1);
  const std::string program = program_file().string();
  const pid_t child = ::fork();
  if (child == 0) become_agent(program, log.string());
  if (child < 0) throw Error(std::string("cannot start the queue's agent: ") + std::strerror(errno));
  ::waitpid(child, nullptr, 0);
  constexpr int tries = 500;
  for (int i = 0; i < tries && !is_there(spool); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  if (is_there(spool)) return;
  throw Error("the queue's agent did not start; the last line of its log " + log.string() + ": " + last_line(log),
              "The job is in line, and begins when an agent does: nephron queue starts one.");
}

}  // namespace nephron::host
