#include <host/plugins/probe.hpp>

#include <cstdlib>
#include <mutex>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/plugins/child.hpp>
#include <host/plugins/library.hpp>
#include <host/plugins/search.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view survived = "survived\n";
constexpr double patience = 60;  // the first load of LibTorch from a cold disk takes seconds

std::vector<std::string>& probe_command() {
  static std::vector<std::string> command;
  return command;
}

/// Files that survived a trial, one a line. Losing it costs a trial each, so every fault in it is passed over.
class Memory {
 public:
  explicit Memory(const fs::path& plugin) : file_(user_cache_folder() / "probed-plugins") {
    struct stat info = {};
    if (file_.parent_path().empty() || ::stat(plugin.c_str(), &info) != 0) return;
    std::ostringstream key;
    key << NEPHRON_SDK_MAJOR << '.' << NEPHRON_SDK_MINOR << ' ' << info.st_size << ' ' << info.st_mtim.tv_sec << '.'
        << info.st_mtim.tv_nsec << ' ' << plugin.string();
    if (plugin.string().find('\n') == std::string::npos) key_ = key.str() + "\n";
  }

  bool known() const { return !key_.empty() && text().find("\n" + key_) != std::string::npos; }

  void add() const {
    if (key_.empty()) return;
    std::string all = text();
    if (all.size() > most) all = "\n";
    try {
      fs::create_directories(file_.parent_path());
      write_file_atomically(file_, all + key_);
    } catch (const std::exception& e) {
      log().debug(std::string("not remembered: ") + e.what());
    }
  }

 private:
  static constexpr std::size_t most = 1 << 20;

  std::string text() const {
    try {
      return fs::exists(file_) ? read_file(file_, 2 * most) : "\n";
    } catch (const std::exception&) {
      return "\n";
    }
  }

  fs::path file_;
  std::string key_;
};

}  // namespace

void set_probe_command(std::vector<std::string> command) { probe_command() = std::move(command); }

void probe(const fs::path& file, const PluginRecords& records) {
  std::vector<std::string> command = probe_command();
  if (command.empty()) return;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const Memory memory(file);
  if (memory.known()) return;
  command.push_back(file.string());
  std::string report;
  const ChildEnd end = run_child(command, patience, [&](std::string_view text) { report += text; });
  if (report != survived)
    throw Error(
        "plugin " + plugin_text(records, file) + " ends the program that loads it: in a child process " + end.text(),
        "look at its static initialisers: objects at namespace scope, and what their constructors do");
  memory.add();
}

void load_and_report_survival(const fs::path& file) {
  enter_child();
  try {
    load_library(file, read_records(file));
  } catch (const std::exception&) {}
  std::string_view left = survived;
  while (!left.empty()) {
    const ssize_t n = ::write(report_descriptor, left.data(), left.size());
    if (n <= 0) break;
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  ::_exit(0);
}

}  // namespace nephron::host
