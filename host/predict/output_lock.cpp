#include <host/predict/output_lock.hpp>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <regex>

#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// A number that no process has counts as gone; one that cannot be asked for counts as alive.
bool is_gone(const std::string& digits) {
  pid_t pid = 0;
  const auto [stop, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  if (failed != std::errc() || pid <= 0) return false;
  return pid == ::getpid() || (::kill(pid, 0) != 0 && errno == ESRCH);
}

FolderLock locked(const fs::path& folder) {
  require_writable(folder, 0);
  return FolderLock(folder);
}

}  // namespace

int remove_half_written(const fs::path& folder, const std::string& written) {
  const std::regex half("(" + written + R"()\.tmp\.([0-9]{1,9})(\.[0-9]{1,10})?)"),
      probe(R"(\.nephron-probe\.([0-9]{1,9}))");
  int removed = 0;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    std::smatch match;
    std::string pid;
    if (std::regex_match(name, match, half)) pid = match[2];
    else if (std::regex_match(name, match, probe)) pid = match[1];
    std::error_code unknown;
    if (pid.empty() || !is_gone(pid) || entry->symlink_status(unknown).type() != fs::file_type::regular) continue;
    if (fs::remove(entry->path(), unknown)) ++removed;
  }
  return removed;
}

OutputLock::OutputLock(const fs::path& folder, const std::string& thing) : lock_(locked(folder)) {
  if (const auto& who = lock_.other_holder())
    throw Error(
        "a " + thing + " is being written into " + folder.string() + " by " + (who->empty() ? "another process" : *who),
        "Wait for it, or name another folder: two " + thing + "s in one folder would mix.");
}

int remove_leftovers(const OutputFolder& output) {
  int removed = remove_half_written(
      output.folder(), R"((?:scores|predict|coco)\.json|submission\.csv|(?:slides|objects)\.(?:csv|jsonl))");
  removed += remove_half_written(output.picture("x").parent_path(), R"([^/]+\.json)");
  for (const fs::path& folder : output.map_folders())
    removed += remove_half_written(folder, R"([^/]+\.(?:png|tif|txt|geojson|json|csv|rows))");
  return removed;
}

}  // namespace nephron::host
