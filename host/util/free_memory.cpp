#include <host/util/free_memory.hpp>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t unknown = std::numeric_limits<std::int64_t>::max();

/// The only number of a file; nothing when there is none, as where a limit is "max".
std::optional<std::int64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  std::int64_t value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

/// The number after `key` in a file of lines "KEY NUMBER".
std::int64_t entry(const fs::path& file, const std::string& key) {
  std::ifstream in(file);
  std::string name;
  for (std::int64_t value = 0; in >> name >> value; in.ignore(std::numeric_limits<std::streamsize>::max(), '\n'))
    if (name == key) return value;
  return 0;
}

std::int64_t of_machine(const fs::path& root) {
  constexpr std::int64_t kib = 1024;
  const fs::path file = root / "proc/meminfo";
  const std::int64_t available = entry(file, "MemAvailable:");
  return available == 0 ? unknown : kib * (available + entry(file, "SwapFree:"));
}

/// What one group leaves: its limit without what cannot be dropped of its use.
std::int64_t of_group(const fs::path& group, const char* limit_name, const char* use_name, const char* cache_name) {
  const auto limit = number_in(group / limit_name), use = number_in(group / use_name);
  if (!limit || !use) return unknown;
  return std::max<std::int64_t>(0, *limit - *use + entry(group / "memory.stat", cache_name));
}

}  // namespace

std::int64_t free_memory(const fs::path& root) {
  std::int64_t least = of_machine(root);
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // NUMBER:CONTROLLERS:PATH
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool unified = controllers.empty();
    if (!unified && controllers.find("memory") == std::string::npos) continue;
    const fs::path top = root / (unified ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
    // A limit of any group above binds too.
    for (fs::path below = fs::path(line.substr(second + 1)).relative_path();; below = below.parent_path()) {
      least = std::min(least, unified ? of_group(top / below, "memory.max", "memory.current", "inactive_file")
                                      : of_group(top / below, "memory.limit_in_bytes", "memory.usage_in_bytes",
                                                 "total_inactive_file"));
      if (below.empty()) break;
    }
  }
  return least;
}

std::int64_t free_memory() { return free_memory("/"); }

}  // namespace nephron::host
