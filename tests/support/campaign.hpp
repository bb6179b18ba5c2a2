#pragma once

// Many tries of one thing in child processes, so that a try that ends its process costs that try alone and is told.
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nephron {

/// Of one try.
struct TryLimits {
  unsigned seconds = 20;
  std::size_t more_memory = std::size_t{1} << 30;  ///< address space beside what the process has; not with sanitizers
};

namespace detail {

/// What a child tells, in memory that both see.
struct Told {
  std::int64_t at = 0;
  char problem[2000] = {};
};

inline void limit_memory(std::size_t more) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  std::size_t pages = 0;
  if (std::FILE* statm = std::fopen("/proc/self/statm", "r"); statm != nullptr) {
    if (std::fscanf(statm, "%zu", &pages) != 1) pages = 0;
    std::fclose(statm);
  }
  const rlimit limit{pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + more, RLIM_INFINITY};
  ::setrlimit(RLIMIT_AS, &limit);
#else
  (void)more;
#endif
}

inline std::string start_of_file(int fd) {
  std::string text(1500, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::pread(fd, text.data(), text.size(), 0))));
  return text;
}

/// Goes through tries in a child until one ends it.
[[noreturn]] inline void run_child(std::int64_t end, const TryLimits& limits, Told& told, int error_file,
                                   const std::function<std::string(std::int64_t)>& try_one) {
  ::dup2(error_file, STDERR_FILENO);
  limit_memory(limits.more_memory);
  for (; told.at < end; ++told.at) {
    ::alarm(limits.seconds);
    std::string problem = try_one(told.at);
    struct stat said = {};
    if (problem.empty() && ::fstat(error_file, &said) == 0 && said.st_size > 0)
      problem = "said on the standard error: " + start_of_file(error_file);
    if (problem.empty()) continue;
    std::strncpy(told.problem, problem.c_str(), sizeof told.problem - 1);
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace detail

/// Calls try_one(i) for i from `begin` to `end`, which returns what went wrong, or "". Returns a line for each try that
/// went wrong, wrote to the standard error, took too long or ended its process.
inline std::vector<std::string> campaign(std::int64_t begin, std::int64_t end, const TryLimits& limits,
                                         const std::function<std::string(std::int64_t)>& try_one) {
  void* const memory = ::mmap(nullptr, sizeof(detail::Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return {std::string("no shared memory: ") + std::strerror(errno)};
  auto& told = *new (memory) detail::Told;
  std::vector<std::string> out;
  for (told.at = begin; told.at < end && out.size() < 50; ++told.at) {
    std::string name = "/tmp/nephron-campaign-XXXXXX";
    const int error_file = ::mkstemp(name.data());
    ::unlink(name.c_str());
    told.problem[0] = '\0';
    const pid_t child = ::fork();
    if (child == 0) detail::run_child(end, limits, told, error_file, try_one);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (told.at < end) {
      std::string how = told.problem;
      if (how.empty())
        how = (WIFSIGNALED(status) ? WTERMSIG(status) == SIGALRM
                                         ? "took more than " + std::to_string(limits.seconds) + " s"
                                         : "signal " + std::to_string(WTERMSIG(status))
                                   : "exit code " + std::to_string(WEXITSTATUS(status))) +
              "; " + detail::start_of_file(error_file);
      out.push_back(std::to_string(told.at) + ": " + how);
    }
    ::close(error_file);
  }
  ::munmap(memory, sizeof(detail::Told));
  return out;
}

/// How many tries: NEPHRON_TRIES, or a number for every day.
inline std::int64_t tries(std::int64_t everyday) {
  const char* const wanted = std::getenv("NEPHRON_TRIES");
  return wanted != nullptr ? std::strtoll(wanted, nullptr, 10) : everyday;
}

}  // namespace nephron
