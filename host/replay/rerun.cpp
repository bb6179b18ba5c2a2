#include <host/replay/rerun.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/plugins/search.hpp>
#include <host/replay/garbage.hpp>
#include <host/replay/group_of_one.hpp>
#include <host/replay/step_digests.hpp>
#include <host/runs/environment.hpp>
#include <host/runs/run.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

fs::path root_of(const fs::path& run) { return fs::absolute(run).lexically_normal().parent_path().parent_path(); }

std::string owner_text(uid_t owner) { return "user " + std::to_string(owner); }

bool its_group_may_write(const struct stat& info) {
  return (info.st_mode & S_IWGRP) != 0 && !is_group_of_one(info.st_gid, info.st_uid);
}

/// Whoever may write the list of what is run may have anything run.
void require_own(const fs::path& file, bool trust) {
  struct stat info = {};
  if (::lstat(file.c_str(), &info) != 0)
    throw Error(file.string() + " is not there: the run keeps no snapshot",
                "Runs of earlier versions, and those that could keep none, can be trained again with the nephron that "
                "is there: nephron train " +
                    (file.parent_path() / "experiment.resolved.toml").string());
  if (!S_ISREG(info.st_mode)) throw Error(file.string() + " is no plain file");
  const bool own = info.st_uid == ::geteuid() || info.st_uid == 0;
  const bool anybody = (info.st_mode & S_IWOTH) != 0;
  if (trust || (own && !anybody && !its_group_may_write(info))) return;
  throw Error(
      file.string() + (!own      ? " belongs to another user (" + owner_text(info.st_uid) + ")"
                       : anybody ? " may be written by anybody"
                                 : " may be written by its group (" + std::to_string(info.st_gid) + ")"),
      (own ? "Files of snapshots are written so that their owner alone can change them; this one was made so by an "
             "earlier nephron or by hand. If nobody has changed it: chmod go-w " +
                 shell_word(file.string()) + ". "
           : "") +
          "The program and the plugins that it names would run with your rights. Give --trust if you trust them.");
}

/// Whether others may rename what lies in a folder, and so put something else in its place.
bool others_may_exchange(const struct stat& info) {
  const bool may_write = (info.st_mode & S_IWOTH) != 0 || its_group_may_write(info);
  return (info.st_uid != ::geteuid() && info.st_uid != 0) || (may_write && (info.st_mode & S_ISVTX) == 0);
}

/// Nobody else can exchange a program that was laid out there between its check and its start.
bool is_own_alone(const fs::path& root) {
  const fs::path store = ObjectStore(root).folder();
  struct stat of_root = {}, of_store = {};
  if (::stat(root.c_str(), &of_root) != 0 || !S_ISDIR(of_root.st_mode) || others_may_exchange(of_root)) return false;
  // A store that is not there yet has the rights of the folder that it is in.
  if (::lstat(store.c_str(), &of_store) != 0) of_store = of_root;
  return S_ISDIR(of_store.st_mode) && of_store.st_uid == ::geteuid() && (of_store.st_mode & S_IWOTH) == 0 &&
         !its_group_may_write(of_store);
}

/// One's own cache, which a umask may have left open to a group: nobody else is to exchange what is laid out there.
void close_to_others(const fs::path& cache) {
  for (const fs::path& folder : {cache, ObjectStore(cache).folder(), trees_of(cache)}) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    struct stat info = {};
    if (::stat(folder.c_str(), &info) == 0 && info.st_uid == ::geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
      ::chmod(folder.c_str(), info.st_mode & 07777 & ~(S_IWGRP | S_IWOTH));
  }
}

void require_torch(const Snapshot& snapshot) {
  const bool finds_its_own = std::any_of(snapshot.program.begin(), snapshot.program.end(),
                                         [](const SnapshotFile& f) { return f.place == "libexec/launch"; });
  if (finds_its_own || snapshot.torch.file.empty()) return;
  const std::string what = "the run was made with LibTorch " + snapshot.torch.build + " in " +
                           snapshot.torch.file.parent_path().string() + ", which ";
  constexpr const char* hint = "LibTorch is too large to be kept with runs. Put that build back to where it was.";
  std::error_code failed;
  if (!fs::is_regular_file(snapshot.torch.file, failed)) throw Error(what + "is not there any more", hint);
  const TorchLibrary now = torch_library_of(snapshot.torch.file);
  if (now.bytes != snapshot.torch.bytes || now.ends != snapshot.torch.ends)
    throw Error(what + "is another build now", hint);
}

bool names_plugins(const fs::path& experiment) {
  const Value parsed = parse_toml(experiment);
  const Value* const plugins = parsed.find("plugins");
  return plugins != nullptr && plugins->is(Value::Type::array) && !plugins->array().empty();
}

std::string folds_of(const RunFolder& run) {
  const std::vector<int> folds = folds_of_environment(run.environment());
  return folds.size() == 1 ? std::to_string(folds.front()) : "all";
}

/// The tree that the program lay in when the run began.
fs::path tree_of(const JsonNode& environment) {
  const auto program = environment.find("program");
  return program ? fs::path(program->at("file").text()).parent_path().parent_path() : fs::path();
}

/// Weights of another run that this one began with: those of the same fold where there are several.
void add_origin(const RunFolder& run, std::vector<std::string>& command) {
  const std::vector<FoldOrigin> from = origins_of_environment(run.environment());
  if (from.empty()) return;
  const bool fold_by_fold = std::all_of(from.begin(), from.end(), [](const auto& o) { return o.fold == o.from_fold; });
  const fs::path other = from.front().run;
  command.insert(
      command.end(),
      {"--from", (fold_by_fold ? other : other / ("fold-" + std::to_string(from.front().from_fold))).string(),
       "--checkpoint", from.front().checkpoint});
}

void add_device(const std::string& asked, const JsonNode& environment, std::vector<std::string>& command) {
  std::string device = asked.empty() ? environment.at("device").text() : asked;
  std::erase(device, ' ');
  if (!device.empty())
    command.insert(command.end(), {device.find(',') == std::string::npos ? "--device" : "--devices", device});
}

}  // namespace

fs::path lay_out_program(const fs::path& run, bool trust, const fs::path& into) {
  const fs::path file = run / snapshot_name;
  require_own(file, trust);
  const Snapshot snapshot = read_snapshot(file);
  require_torch(snapshot);
  const fs::path root = root_of(run);
  fs::path place = into.empty() ? root : into;
  if (!is_own_alone(place)) {
    place = user_cache_folder();
    if (!place.empty()) close_to_others(place);
  }
  if (place.empty()) throw Error("there is no folder to lay the program out in", "Set HOME or XDG_CACHE_HOME.");
  const fs::path folder = fs::absolute(trees_of(place)) / tree_name(snapshot);
  const ObjectStore store(root);
  const ObjectsInUse in_use(store);
  materialise(snapshot, store, folder);
  return folder;
}

std::vector<std::string> plugin_options(const fs::path& run, const fs::path& program) {
  const fs::path old_tree = tree_of(JsonNode::read(RunFolder::open(run).environment()));
  std::vector<std::string> out;
  if (names_plugins(program / snapshot_experiment)) out = {"--set", "plugins=[]"};
  // All of them lie where the program looks. Those that did not come with it are named, too, so that what it writes
  // down knows them by their place.
  for (const SnapshotPlugin& plugin : read_snapshot(program / snapshot_name).plugins)
    if (old_tree.empty() || !plugin.file.string().starts_with(old_tree.string() + "/"))
      out.insert(out.end(), {"--plugin", (program / plugin.place).string()});
  return out;
}

std::vector<std::string> rerun_command(const RerunRequest& request) {
  const RunFolder run = RunFolder::open(request.run);
  const fs::path runs = request.runs.empty() ? root_of(run.folder()) : request.runs;
  const fs::path program = lay_out_program(run.folder(), request.trust, runs);
  const Snapshot snapshot = read_snapshot(program / snapshot_name);
  if (!snapshot.experiment)
    throw Error("the snapshot of " + run.folder().string() + " holds no experiment",
                "It cannot be started again from it.");
  const JsonNode environment = JsonNode::read(run.environment());
  std::vector<std::string> out{(program / "bin" / "nephron").string(), "train",
                               (program / snapshot_experiment).string()};
  out.insert(out.end(), {"--runs", runs.string(), "--rerun-of", fs::absolute(run.folder()).lexically_normal().string(),
                         "--fold", request.fold.empty() ? folds_of(run) : request.fold});
  if (request.anyway) out.emplace_back("--anyway");
  add_device(request.device, environment, out);
  add_origin(run, out);
  const std::vector<std::string> plugins = plugin_options(run.folder(), program);
  out.insert(out.end(), plugins.begin(), plugins.end());
  for (const std::string& setting : request.overrides) out.insert(out.end(), {"--set", setting});
  log().info("starting " + run.folder().string() + " again as it was made at " + snapshot.made + " by " +
             snapshot.user + " on " + snapshot.host + ", with the program in " + program.string());
  return out;
}

void take_threads_of(const RerunRequest& request) try {
  const RunFolder run = RunFolder::open(request.run);
  std::error_code none;
  for (const int k : run.folds()) {
    const fs::path file = run.fold(k).folder / digests_name;
    if (!fs::exists(file, none)) continue;
    const std::string threads = std::to_string(read_digests(file).sessions.begin()->second.threads);
    log().info("OMP_NUM_THREADS is " + threads + ", the threads that the run had: another number gives other last " +
               "digits (--set train.threads=N)");
    ::setenv("OMP_NUM_THREADS", threads.c_str(), /*overwrite=*/1);
    return;
  }
} catch (const Error& e) {
  log().warning(std::string(e.what()) +
                ": how many threads the run had is not known, and others give other last digits");
}

void become(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(words.front(), words.data());
  throw Error("cannot start " + command.front() + ": " + std::strerror(errno));
}

}  // namespace nephron::host
