#include <host/queue/tool.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/descriptor.hpp>

namespace nephron::host {

ToolEnd run_tool(const std::vector<std::string>& command, const std::string& input, bool quiet) {
  int out[2], in[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0)
    throw Error(std::string("cannot make a pipe: ") + std::strerror(errno));
  const Descriptor reads(out[0]);
  Descriptor writes(out[1]), to_child(in[0]), of_child(in[1]);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, of_child.get(), 0);
  posix_spawn_file_actions_adddup2(&files, writes.get(), 1);
  if (quiet) posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = -1;
  const int failed = ::posix_spawnp(&child, words.front(), &files, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (failed == ENOENT) return {};
  if (failed != 0) throw Error("cannot start " + command.front() + ": " + std::strerror(failed));
  writes.close();
  of_child.close();
  for (std::size_t done = 0; done < input.size();) {
    const ssize_t n = ::send(to_child.get(), input.data() + done, input.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  to_child.close();
  ToolEnd end;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(reads.get(), buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR);)
    if (n > 0) end.output.append(buffer, static_cast<std::size_t>(n));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  end.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return end;
}

}  // namespace nephron::host
