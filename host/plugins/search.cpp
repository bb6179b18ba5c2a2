#include <host/plugins/search.hpp>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>
#include <utility>

#include <host/util/checked_json.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

fs::path xdg_folder(const char* variable, const char* below_home) {
  // The XDG specification has relative paths ignored.
  if (const char* set = std::getenv(variable); set != nullptr && *set == '/') return fs::path(set) / "nephron";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / below_home / "nephron";
  return {};
}

/// The folder above that of this program; empty: not known.
fs::path program_root() {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  return failed ? fs::path() : program.parent_path().parent_path();
}

/// This program was laid out from a run's snapshot, with all the plugins that the run could load.
bool is_laid_out(const fs::path& root) {
  std::error_code failed;
  return !root.empty() && fs::exists(root / "snapshot.json", failed);
}

/// Where plugins that came with this program lie, seen from the program.
std::vector<fs::path> installed_folders(const fs::path& root) {
  if (root.empty()) return {};
  std::error_code failed;
  std::vector<fs::path> out{root / "lib" / "nephron" / "plugins"};
  // Only a build tree has them here; elsewhere, PREFIX/plugins could be anybody's.
  if (fs::exists(root / "CMakeCache.txt", failed)) out.push_back(root / "plugins");
  return out;
}

/// Of a laid-out program: where the plugins lay that it has copies of, and the copies.
std::vector<std::pair<fs::path, fs::path>> copies_in(const fs::path& root) {
  std::vector<std::pair<fs::path, fs::path>> out;
  for (const JsonNode& plugin : JsonNode::read(root / "snapshot.json").at("plugins").items())
    out.emplace_back(plugin.at("file").text(), root / plugin.at("place").text());
  return out;
}

class Collector {
 public:
  void add(const fs::path& entry, bool named, bool installed) {
    std::error_code failed;
    if (!fs::is_directory(entry, failed)) return add_file(entry, named, installed);
    std::vector<fs::path> files;
    for (const fs::directory_entry& e :
         fs::directory_iterator(entry, fs::directory_options::skip_permission_denied, failed))
      if (e.path().extension() == ".so") files.push_back(e.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) add_file(file, false, installed);
  }
  /// What was found as `file` needs no copy: it would be there twice, whatever was built since.
  void leave_out_copy(const fs::path& file, const fs::path& copy) {
    if (std::error_code failed; seen_.contains(file)) seen_.insert(fs::canonical(copy, failed));
  }
  std::vector<FoundFile> take() { return std::move(files_); }

 private:
  void add_file(const fs::path& file, bool named, bool installed) {
    std::error_code failed;
    fs::path real = fs::canonical(file, failed);
    if (failed) real = fs::absolute(file, failed);
    if (seen_.insert(real).second) files_.push_back({real, named, installed});
  }
  std::set<fs::path> seen_;
  std::vector<FoundFile> files_;
};

}  // namespace

fs::path user_data_folder() { return xdg_folder("XDG_DATA_HOME", ".local/share"); }

fs::path user_plugin_folder() {
  const fs::path folder = user_data_folder();
  return folder.empty() ? folder : folder / "plugins";
}

fs::path user_cache_folder() { return xdg_folder("XDG_CACHE_HOME", ".cache"); }

std::vector<FoundFile> find_plugin_files(const PluginSearch& search) {
  Collector out;
  for (const fs::path& entry : search.command_line) out.add(entry, true, false);
  for (const fs::path& entry : search.experiment) out.add(entry, true, false);
  if (!search.folders) return out.take();
  const fs::path root = program_root();
  std::error_code failed;
  if (is_laid_out(root)) {
    for (const auto& [file, copy] : copies_in(root)) out.leave_out_copy(file, copy);
  } else {
    std::istringstream listed(std::getenv("NEPHRON_PLUGIN_PATH") != nullptr ? std::getenv("NEPHRON_PLUGIN_PATH") : "");
    for (std::string entry; std::getline(listed, entry, ':');)
      if (!entry.empty()) out.add(entry, false, false);
    if (const fs::path user = user_plugin_folder(); fs::is_directory(user, failed)) out.add(user, false, false);
  }
  for (const fs::path& folder : installed_folders(root))
    if (fs::is_directory(folder, failed)) out.add(folder, false, true);
  return out.take();
}

}  // namespace nephron::host
