#include <host/replay/snapshot.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/runs/here_and_now.hpp>
#include <host/runs/process.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* plugin_folder = "lib/nephron/plugins/";

/// Files that this process has mapped, each once; those that were removed since end in " (deleted)".
std::set<std::string> mapped_files() {
  std::set<std::string> out;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (const std::size_t at = line.find('/'); at != std::string::npos) out.insert(line.substr(at));
  return out;
}

void require_as_loaded(const fs::path& tree) {
  constexpr std::string_view gone = " (deleted)";
  for (const std::string& file : mapped_files())
    if (file.ends_with(gone) && file.starts_with(tree.string() + "/"))
      throw Error(file.substr(0, file.size() - gone.size()) + " was built anew since this process began",
                  "what runs now is on no disk any more; start again with the new one");
}

/// A bundle brings the libraries that it needs; any other tree may stand in a folder of many, such as /usr/local.
bool belongs_to_program(const std::string& library, bool is_bundle) {
  return library.find(".so") != std::string::npos && (is_bundle || library.starts_with("libnephron_"));
}

std::vector<std::string> program_places(const fs::path& tree) {
  std::error_code failed;
  std::vector<std::string> out{"bin/nephron", "libexec/nephron-compute", "libexec/nephron-compute.commands"};
  const bool is_bundle = fs::exists(tree / "libexec" / "launch", failed);
  if (is_bundle) out.emplace_back("libexec/launch");
  std::vector<std::string> libraries;
  for (const fs::directory_entry& entry : fs::directory_iterator(tree / "lib", failed)) {
    const std::string name = entry.path().filename().string();
    if (belongs_to_program(name, is_bundle) && entry.is_regular_file(failed)) libraries.push_back("lib/" + name);
  }
  std::sort(libraries.begin(), libraries.end());
  out.insert(out.end(), libraries.begin(), libraries.end());
  return out;
}

/// Files of one name from several folders get names of their own.
std::string plugin_place(const fs::path& file, const ObjectName& object, const std::vector<SnapshotPlugin>& others) {
  std::string out = plugin_folder + file.filename().string();
  const auto taken = [&](const SnapshotPlugin& other) { return other.place == out; };
  if (std::any_of(others.begin(), others.end(), taken))
    out = plugin_folder + file.stem().string() + "-" + object.sha256.substr(0, 16) + ".so";
  return out;
}

std::vector<SnapshotPlugin> keep_plugins(ObjectStore& store, const std::vector<ComponentInfo>& components) {
  std::vector<SnapshotPlugin> out;
  std::set<fs::path> seen;
  for (const ComponentInfo& component : components) {
    if (!seen.insert(component.file).second) continue;
    const ObjectName object = store.put(component.file);
    out.push_back({component.plugin, component.file, plugin_place(component.file, object, out), object});
  }
  return out;
}

std::string ends_of(const fs::path& file, std::int64_t bytes) {
  constexpr std::int64_t most = std::int64_t{1} << 20;
  std::ifstream in(file, std::ios::binary);
  std::string text(static_cast<std::size_t>(std::min(bytes, 2 * most)), '\0');
  const auto first = static_cast<std::streamsize>(std::min(bytes, most));
  in.read(text.data(), first);
  in.seekg(std::max(most, bytes - most));
  in.read(text.data() + first, static_cast<std::streamsize>(text.size()) - first);
  if (bytes > most && !in) throw Error("cannot read " + file.string());
  return sha256_of_text(text);
}

/// A tree that was laid out before: each file, and nothing besides.
void require_whole(const Snapshot& snapshot, const fs::path& folder) {
  struct stat info = {};
  const auto fail = [&](const std::string& why) {
    throw Error(folder.string() + " was laid out from a snapshot, and " + why, "Remove it: it is laid out anew.");
  };
  if (::lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) fail("is no folder any more");
  if (info.st_uid != ::geteuid()) fail("belongs to another user");
  std::set<std::string> places{snapshot_name};
  const auto check = [&](const std::string& place, const ObjectName& object) {
    places.insert(place);
    if (::lstat((folder / place).c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != object.bytes ||
        sha256_of(folder / place) != object.sha256)
      fail(place + " in it is damaged");
  };
  for (const SnapshotFile& file : snapshot.program) check(file.place, file.object);
  for (const SnapshotPlugin& plugin : snapshot.plugins) check(plugin.place, plugin.object);
  if (snapshot.experiment) check(snapshot_experiment, *snapshot.experiment);
  if (snapshot.splits) check(snapshot_splits, *snapshot.splits);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_symlink() || (!entry.is_directory() && !places.contains(entry.path().lexically_relative(folder))))
      fail(entry.path().filename().string() + " in it is none of its files");
}

void lay_out_all(const Snapshot& snapshot, const ObjectStore& store, const fs::path& folder) {
  for (const char* below : {"bin", "libexec", "lib/nephron/plugins", "run"}) fs::create_directories(folder / below);
  for (const SnapshotFile& file : snapshot.program) store.lay_out(file.object, folder / file.place, file.executable);
  for (const SnapshotPlugin& plugin : snapshot.plugins) store.lay_out(plugin.object, folder / plugin.place, true);
  if (snapshot.experiment) store.lay_out(*snapshot.experiment, folder / snapshot_experiment, false);
  if (snapshot.splits) store.lay_out(*snapshot.splits, folder / snapshot_splits, false);
  write_snapshot(folder / snapshot_name, snapshot);
}

}  // namespace

std::vector<ObjectName> Snapshot::objects() const {
  std::vector<ObjectName> out;
  for (const SnapshotFile& file : program) out.push_back(file.object);
  for (const SnapshotPlugin& plugin : plugins) out.push_back(plugin.object);
  if (experiment) out.push_back(*experiment);
  if (splits) out.push_back(*splits);
  return out;
}

ObjectName name_of(const fs::path& file) { return {sha256_of(file), static_cast<std::int64_t>(fs::file_size(file))}; }

TorchLibrary torch_library_of(const fs::path& file) {
  TorchLibrary out{NEPHRON_TORCH_BUILD, file, static_cast<std::int64_t>(fs::file_size(file)), {}};
  out.ends = ends_of(file, out.bytes);
  return out;
}

TorchLibrary torch_library() {
  for (const std::string& file : mapped_files())
    if (fs::path(file).filename() == "libtorch_cpu.so") return torch_library_of(file);
  return {NEPHRON_TORCH_BUILD, {}, 0, {}};
}

std::string program_digest() {
  std::set<std::string> digests{sha256_of("/proc/self/exe")};
  for (const std::string& file : mapped_files())
    if (std::error_code gone; fs::path(file).filename().string().starts_with("libnephron_") && fs::exists(file, gone))
      digests.insert(sha256_of(file));
  std::string all;
  for (const std::string& digest : digests) all += digest + "\n";
  return sha256_of_text(all);
}

Snapshot take_snapshot(ObjectStore& store, const fs::path& tree, const std::vector<ComponentInfo>& components) {
  require_as_loaded(tree);
  Snapshot out;
  out.made = time_text(), out.user = user_name(), out.host = host_name();
  for (const std::string& place : program_places(tree)) {
    const bool executable = ::access((tree / place).c_str(), X_OK) == 0;
    out.program.push_back({place, store.put(tree / place), executable});
  }
  out.plugins = keep_plugins(store, components);
  out.torch = torch_library();
  return out;
}

void materialise(const Snapshot& snapshot, const ObjectStore& store, const fs::path& folder) {
  std::error_code failed;
  if (fs::exists(fs::symlink_status(folder, failed))) return require_whole(snapshot, folder);
  fs::create_directories(folder.parent_path());
  std::string partial = folder.string() + ".tmp.XXXXXX";
  if (::mkdtemp(partial.data()) == nullptr)
    throw Error("cannot make a folder beside " + folder.string() + ": " + std::strerror(errno));
  try {
    lay_out_all(snapshot, store, partial);
    fs::rename(partial, folder, failed);
    if (failed) {  // another process was first, or it cannot be
      if (!fs::exists(folder)) throw Error("cannot make " + folder.string() + ": " + failed.message());
      require_whole(snapshot, folder);
      fs::remove_all(partial);
    }
  } catch (...) {
    fs::remove_all(partial, failed);
    throw;
  }
}

}  // namespace nephron::host
