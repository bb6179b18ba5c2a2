#include <host/replay/garbage.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/replay/objects.hpp>
#include <host/replay/snapshot.hpp>
#include <host/runs/run.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/file_range.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr int deepest = 6;  // ROOT/.trash/EXPERIMENT/RUN, and some room
constexpr auto grace = std::chrono::hours(1);

bool is_hex(const std::string& text, std::size_t digits) {
  return text.size() == digits &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_real_folder(const fs::path& path) {
  struct stat info = {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

/// What the runs below a folder name.
class Named {
 public:
  explicit Named(const fs::path& root) { look(root, 0); }
  bool object(const std::string& sha256) const { return objects_.contains(sha256); }
  bool tree(const fs::path& folder) const {
    return awaited_.contains(folder.filename().string()) ||
           std::any_of(programs_.begin(), programs_.end(),
                       [&](const std::string& program) { return program.starts_with(folder.string() + "/"); });
  }

 private:
  /// Links are followed here: whatever is found is kept.
  void look(const fs::path& folder, int depth) {
    struct stat info = {};
    if (::stat(folder.c_str(), &info) != 0 || !seen_.emplace(info.st_dev, info.st_ino).second) return;
    std::error_code failed;
    if (fs::exists(folder / snapshot_name, failed)) return take(folder);
    if (fs::exists(folder / "experiment.resolved.toml", failed) || depth == deepest) return;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
      if (entry.is_directory(failed) && entry.path().filename() != ".objects") look(entry.path(), depth + 1);
  }

  void take(const fs::path& run) {
    const Snapshot snapshot = read_snapshot(run / snapshot_name);
    for (const ObjectName& object : snapshot.objects()) objects_.insert(object.sha256);
    std::error_code failed;
    // Of a sweep in the queue (sweep/sweep_program.hpp): its jobs start that program for as long as the sweep is there.
    if (!fs::exists(run / "environment.json", failed)) return void(awaited_.insert(tree_name(snapshot)));
    const JsonNode environment = JsonNode::read(run / "environment.json");
    if (const auto folds = environment.find("folds"))
      for (const JsonNode& fold : folds->items())
        if (const std::string name = "fold-" + std::to_string(fold.integer(0, 1 << 20));
            !FoldFolder{run / name}.finished())
          awaited_.insert(tree_name(snapshot));
    if (const auto program = environment.find("program")) programs_.push_back(program->at("file").text());
  }

  std::set<std::string> objects_;
  std::set<std::string> awaited_;  ///< trees that a run in the queue, which is not at its end, may go on with
  std::vector<std::string> programs_;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

/// Held while things are removed: no run begins meanwhile.
class Alone {
 public:
  explicit Alone(const fs::path& store) {
    fd_ = ::open((store / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd_ < 0) throw Error("cannot write into " + store.string());
    struct flock lock = file_range(F_WRLCK);
    if (::fcntl(fd_, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES)) return;
    ::close(fd_);
    throw Error("a run begins at this moment, or another process removes objects, in " + store.string(),
                "Try again in a few seconds.");
  }
  ~Alone() { ::close(fd_); }
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;

 private:
  int fd_ = -1;
};

bool is_young(const struct stat& info) {
  const auto now = std::chrono::system_clock::now();
  return now - std::chrono::system_clock::from_time_t(info.st_mtime) < grace;
}

/// A program of this machine that runs from there, whoever started it.
bool runs_from(const fs::path& folder) {
  std::error_code failed;
  for (const fs::directory_entry& process : fs::directory_iterator("/proc", failed)) {
    std::error_code gone;
    if (fs::read_symlink(process.path() / "exe", gone).string().starts_with(folder.string() + "/")) return true;
  }
  return false;
}

void look_at_object(const fs::path& file, const std::string& begin, const Named& named, Garbage& out) {
  const std::string name = file.filename().string();
  struct stat info = {};
  if (::lstat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return;
  const bool partial = name.size() > 62 && is_hex(name.substr(0, 62), 62) && name.substr(62).starts_with(".tmp.");
  if (!partial && !is_hex(name, 62)) return;
  const bool wanted = !partial && named.object(begin + name);
  if (wanted || is_young(info)) {
    ++out.kept;
    out.young += !wanted;
    return;
  }
  out.objects.push_back(file);
  out.bytes += info.st_size;
}

void look_at_trees(const fs::path& root, const Named& named, Garbage& out) {
  std::error_code failed;
  if (!is_real_folder(trees_of(root))) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(trees_of(root), failed)) {
    const fs::path& tree = entry.path();
    struct stat info = {};
    if (!is_real_folder(tree) || ::lstat((tree / snapshot_name).c_str(), &info) != 0 || is_young(info)) continue;
    if (!named.tree(tree) && !named.tree(fs::canonical(tree)) && !runs_from(fs::canonical(tree)))
      out.trees.push_back(tree);
  }
}

void remove(const Garbage& garbage) {
  const auto fail = [](const fs::path& what, const std::error_code& why) {
    throw Error("cannot remove " + what.string() + ": " + why.message(), "What was removed before it stays removed.");
  };
  std::error_code failed;
  for (const fs::path& tree : garbage.trees)
    if (fs::remove_all(tree, failed); failed) fail(tree, failed);
  for (const fs::path& object : garbage.objects) {
    if (fs::remove(object, failed); failed) fail(object, failed);
    fs::remove(object.parent_path(), failed);  // only when it is empty
  }
}

}  // namespace

fs::path trees_of(const fs::path& root) { return root / ".objects" / "trees"; }

std::string tree_name(const Snapshot& snapshot) { return sha256_of_text(snapshot_text(snapshot)).substr(0, 16); }

Garbage collect_garbage(const fs::path& root, bool only_look) {
  Garbage out;
  const fs::path store = ObjectStore(root).folder();
  struct stat info = {};
  if (::lstat(store.c_str(), &info) != 0) return out;  // no run has kept anything yet
  if (!S_ISDIR(info.st_mode)) throw Error(store.string() + " is no folder; it is left alone");
  const Alone alone(store);
  const Named named(root);
  look_at_trees(root, named, out);
  for (const fs::directory_entry& folder : fs::directory_iterator(store)) {
    const std::string begin = folder.path().filename().string();
    if (!is_hex(begin, 2) || !is_real_folder(folder.path())) continue;
    for (const fs::directory_entry& file : fs::directory_iterator(folder.path()))
      look_at_object(file.path(), begin, named, out);
  }
  if (!only_look) remove(out);
  return out;
}

}  // namespace nephron::host
