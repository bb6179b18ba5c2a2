#include <host/queue/keeper.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/runs/here_and_now.hpp>
#include <host/util/checked_json.hpp>

namespace nephron::host {

namespace {

/// What the agent had open is not the keeper's: its lock would outlive it.
void close_all_but(const std::vector<Descriptor>& kept) {
  std::vector<int> open;
  DIR* const list = ::opendir("/proc/self/fd");
  while (list != nullptr) {
    const dirent* const entry = ::readdir(list);
    if (entry == nullptr) break;
    if (const int fd = std::atoi(entry->d_name); fd > 2 && fd != ::dirfd(list)) open.push_back(fd);
  }
  if (list != nullptr) ::closedir(list);
  for (const int fd : open)
    if (std::none_of(kept.begin(), kept.end(), [&](const Descriptor& k) { return k.get() == fd; })) ::close(fd);
}

class Keeper {
 public:
  Keeper(const Spool& spool, const HostFile& host, const Ticket& ticket, const JobState& state)
      : spool_(spool), host_(host), ticket_(ticket), state_(state) {}

  void keep() {
    block_signals();
    spool_.write(ticket_.id + ".begun.json", text_of(Begun{state_.start, ::getpid(), born(::getpid())}));
    open_log();
    set_environment();
    pin();
    End end = start() ? wait() : End{};
    end.start = state_.start;
    end.error = error_;
    if (!error_.empty()) end.code = 127;
    if (child_ > 0) ::kill(-child_, SIGKILL);  // whatever it started and left
    write_end(end);
  }

 private:
  void block_signals() {
    sigemptyset(&signals_);
    for (const int s : {SIGTERM, SIGUSR1, SIGCHLD}) sigaddset(&signals_, s);
    for (const int s : {SIGTERM, SIGUSR1, SIGCHLD, SIGINT}) ::signal(s, SIG_DFL);
    ::sigprocmask(SIG_BLOCK, &signals_, nullptr);
    ::signal(SIGHUP, SIG_IGN);
    ::signal(SIGINT, SIG_IGN);
  }

  void open_log() {
    const std::string file = spool_.own() / (ticket_.id + ".log");
    const int log = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log < 0 || input < 0) throw Error("cannot write " + file + ": " + std::strerror(errno));
    ::dup2(input, 0);
    ::dup2(log, 1);
    ::dup2(log, 2);
    say((state_.start == 1 ? "started " : "goes on ") + time_text() + " on " + nephron::host::text_of(state_.parts));
  }

  static void say(const std::string& text) {
    const std::string line = "[queue] " + text + "\n";
    static_cast<void>(!::write(2, line.data(), line.size()));
  }

  /// As it was when the job was submitted, and what it was given.
  void set_environment() {
    const JsonNode json = JsonNode::read(spool_.own() / (ticket_.id + ".env.json"));
    ::clearenv();
    for (const auto& [name, value] : json.members()) ::setenv(name.c_str(), value.text().c_str(), 1);
    ::setenv("NEPHRON_QUEUE_JOB", ticket_.id.c_str(), 1);
    if (!host_.pin_cores) ::setenv("OMP_NUM_THREADS", std::to_string(ticket_.request.cores).c_str(), 1);
    std::string devices, masks, cores;
    const auto add = [](std::string& list, const std::string& entry) { list += (list.empty() ? "" : ",") + entry; };
    bool real = false;
    for (std::size_t i = 0; i < host_.machine.gpus.size(); ++i) {
      real |= !host_.machine.gpus[i].made_up();
      if (state_.parts.gpus[i] == 0) continue;
      add(devices, host_.machine.gpus[i].uuid);
      char mask[8];
      std::snprintf(mask, sizeof mask, "%04x", static_cast<unsigned>(state_.parts.gpus[i]));
      add(masks, std::to_string(i) + ":" + mask);
    }
    for (std::size_t i = 0; i < most_cores; ++i)
      if (state_.parts.cores[i]) add(cores, std::to_string(i));
    ::setenv("NEPHRON_QUEUE_GPUS", masks.c_str(), 1);
    ::setenv("NEPHRON_QUEUE_CORES", cores.c_str(), 1);
    if (real) ::setenv("CUDA_VISIBLE_DEVICES", devices.c_str(), 1);  // "" where it has none
    if (ticket_.request.gpu_bytes > 0)
      ::setenv("NEPHRON_GPU_MEMORY", std::to_string(ticket_.request.gpu_bytes).c_str(), 1);
  }

  void pin() const {
    if (!host_.pin_cores) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (std::size_t i = 0; i < CPU_SETSIZE && i < most_cores; ++i)
      if (state_.parts.cores[i]) CPU_SET(i, &set);
    // The machine may forbid some of them to this user: then all that it allows are as good.
    static_cast<void>(::sched_setaffinity(0, sizeof set, &set));
  }

  bool start() {
    int report[2];
    if (::pipe2(report, O_CLOEXEC) != 0) {
      error_ = std::string("cannot make a pipe: ") + std::strerror(errno);
      return false;
    }
    const std::vector<std::string>& command =
        state_.start > 1 && !ticket_.again.empty() ? ticket_.again : ticket_.first;
    const pid_t keeper = ::getpid();
    child_ = ::fork();
    if (child_ == 0) become(command, keeper, report[1]);
    ::close(report[1]);
    int failed = 0;
    if (child_ < 0) error_ = std::string("cannot start a process: ") + std::strerror(errno);
    else if (::read(report[0], &failed, sizeof failed) == sizeof failed)
      error_ = "cannot start " + command.front() + " in " + ticket_.folder.string() + ": " + std::strerror(failed);
    ::close(report[0]);
    if (!error_.empty()) say(error_);
    return child_ > 0;
  }

  [[noreturn]] void become(const std::vector<std::string>& command, pid_t keeper, int report) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != keeper) ::_exit(127);
    ::setpgid(0, 0);
    ::sigprocmask(SIG_UNBLOCK, &signals_, nullptr);
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGHUP, SIG_DFL);
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    if (::chdir(ticket_.folder.c_str()) == 0) ::execvp(words.front(), words.data());
    const int failed = errno;
    static_cast<void>(!::write(report, &failed, sizeof failed));
    ::_exit(127);
  }

  End wait() {
    while (true) {
      int status = 0;
      if (::waitpid(child_, &status, WNOHANG) == child_) {
        End out;
        if (WIFSIGNALED(status)) out.signal = WTERMSIG(status);
        else out.code = WEXITSTATUS(status);
        return out;
      }
      const int caught = ::sigwaitinfo(&signals_, nullptr);
      if (caught == SIGTERM) {
        say("told to end");
        ::kill(child_, SIGTERM);
      }
      if (caught == SIGUSR1) {
        say("killed: it did not end");
        ::kill(-child_, SIGKILL);
      }
    }
  }

  /// A spool that is full for a while must not cost a job that is done.
  void write_end(const End& end) const {
    constexpr int tries = 300;
    for (int i = 0; i < tries; ++i) {
      try {
        spool_.write(ticket_.id + ".end.json", text_of(end));
        return;
      } catch (const std::exception& e) {
        if (i == 0) say(e.what());
        std::this_thread::sleep_for(std::chrono::seconds(1));
      }
    }
  }

  const Spool& spool_;
  const HostFile& host_;
  const Ticket& ticket_;
  const JobState& state_;
  sigset_t signals_{};
  pid_t child_ = -1;
  std::string error_;
};

}  // namespace

void keep_job(const Spool& spool, const HostFile& host, const Ticket& ticket, const JobState& state,
              std::vector<Descriptor> locks) noexcept {
  try {
    ::setsid();
    ::umask(static_cast<mode_t>(ticket.umask));
    close_all_but(locks);
    Keeper(spool, host, ticket, state).keep();
  } catch (const std::exception& e) {
    const std::string text = std::string("[queue] ") + e.what() + "\n";
    static_cast<void>(!::write(2, text.data(), text.size()));
    try {
      spool.write(ticket.id + ".end.json", text_of(End{state.start, 127, 0, e.what()}));
    } catch (const std::exception&) {  // its agent sees that it is gone
    }
  }
  ::_exit(0);
}

std::int64_t born(std::int64_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(in, line);
  if (line.empty()) return 0;
  // The name in parentheses may hold anything; the 20th word behind it is the start.
  std::istringstream words(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::string word;
  for (int i = 0; i < 20; ++i) words >> word;
  return words ? std::atoll(word.c_str()) : 0;
}

bool is_keeper(const Begun& begun, uid_t uid) {
  std::ifstream in("/proc/" + std::to_string(begun.keeper) + "/status");
  long long owner = -1;
  for (std::string line; owner < 0 && std::getline(in, line);)
    if (line.starts_with("Uid:")) std::istringstream(line.substr(4)) >> owner;
  return owner == static_cast<long long>(uid) && born(begun.keeper) == begun.keeper_born;
}

void signal_keeper(const Begun& begun, int number) {
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(begun.keeper), 0));
  if (process < 0) return;
  const Descriptor close(process);
  if (born(begun.keeper) == begun.keeper_born) ::syscall(SYS_pidfd_send_signal, process, number, nullptr, 0);
}

}  // namespace nephron::host
