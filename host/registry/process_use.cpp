#include <host/registry/process_use.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <host/runs/process.hpp>

namespace nephron::host {

namespace {

std::optional<pid_t> number_in(std::string_view text) {
  pid_t out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc() && end == text.data() + text.size() && out > 0 ? std::optional(out) : std::nullopt;
}

/// /proc/PID/stat; "" when the process has gone.
std::string stat_of(int proc, const char* pid) {
  char name[64], text[1024];
  std::snprintf(name, sizeof name, "%s/stat", pid);
  const int fd = ::openat(proc, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t n = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  return std::string(text, n > 0 ? static_cast<std::size_t>(n) : 0);
}

}  // namespace

ProcessTable ProcessTable::now() {
  ProcessTable out;
  DIR* const proc = ::opendir("/proc");
  if (proc == nullptr) return out;
  const double tick = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double page = static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
  while (const dirent* const entry = ::readdir(proc)) {
    const auto pid = number_in(entry->d_name);
    if (!pid) continue;
    const std::string text = stat_of(::dirfd(proc), entry->d_name);
    const std::size_t name_end = text.rfind(')');  // the name may hold anything
    if (name_end == std::string::npos) continue;
    int parent = 0;
    unsigned long user = 0, system = 0;
    long ended_user = 0, ended_system = 0, resident = 0;
    if (std::sscanf(text.c_str() + name_end + 1,
                    " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld %*d %*d %*d %*d %*u %*u %ld", &parent,
                    &user, &system, &ended_user, &ended_system, &resident) != 6)
      continue;
    const double ticks = static_cast<double>(user + system) + static_cast<double>(ended_user + ended_system);
    out.processes_[*pid] = {parent, {tick * ticks, page * static_cast<double>(std::max(0L, resident))}};
  }
  ::closedir(proc);
  return out;
}

std::optional<ProcessUse> ProcessTable::use_of(pid_t process) const {
  if (!processes_.contains(process)) return std::nullopt;
  ProcessUse out;
  for (const pid_t pid : below({process})) {
    out.cpu_seconds += processes_.at(pid).use.cpu_seconds;
    out.memory_mb += processes_.at(pid).use.memory_mb;
  }
  return out;
}

std::set<pid_t> ProcessTable::below(const std::set<pid_t>& processes) const {
  std::set<pid_t> out;
  for (const auto& [pid, entry] : processes_) {
    // Up to a process that is asked for; a table that was read while processes ended may have no way there.
    pid_t at = pid;
    for (int steps = 0; at > 1 && !processes.contains(at) && steps < 64; ++steps) {
      const auto found = processes_.find(at);
      at = found == processes_.end() ? 0 : found->second.parent;
    }
    if (processes.contains(at)) out.insert(pid);
  }
  return out;
}

std::map<uid_t, double> ProcessTable::cpu_by_user() const {
  std::map<uid_t, double> out;
  for (const auto& [pid, entry] : processes_)
    if (const auto owner = owner_of(pid)) out[*owner] += entry.use.cpu_seconds;
  return out;
}

std::optional<uid_t> owner_of(pid_t process) {
  struct stat info = {};
  return ::stat(("/proc/" + std::to_string(process)).c_str(), &info) == 0 ? std::optional(info.st_uid) : std::nullopt;
}

std::optional<pid_t> holder_of(const std::filesystem::path& run) {
  std::ifstream in(run / ".lock");
  std::string line;
  std::getline(in, line);
  constexpr std::string_view begin = "process ";
  const std::string end = " on " + host_name();
  if (!line.starts_with(begin) || !line.ends_with(end) || line.size() < begin.size() + end.size()) return std::nullopt;
  return number_in(std::string_view(line).substr(begin.size(), line.size() - begin.size() - end.size()));
}

}  // namespace nephron::host
