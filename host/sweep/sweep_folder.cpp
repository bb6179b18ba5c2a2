#include <host/sweep/sweep_folder.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include <nephron/dataset_check.hpp>
#include <nephron/error.hpp>
#include <nephron/folder_name.hpp>

#include <host/runs/here_and_now.hpp>
#include <host/runs/run_name.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>
#include <host/util/shell_word.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

fs::path plan_file(const fs::path& sweep) { return sweep / "plan.json"; }
fs::path stop_file(const fs::path& sweep) { return sweep / "stop"; }

bool is_sweep(const fs::path& folder) {
  std::error_code no;
  return fs::exists(plan_file(folder), no);
}

/// A folder beside the one to come, which is gone unless it became that.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& runs) {
    // Begun with a dot: nobody takes it for an experiment.
    path_ = runs / (".sweep.tmp." + std::to_string(::getpid()));
    std::error_code failed;
    fs::remove_all(path_, failed);
    fs::create_directories(path_ / "trials", failed);
    if (failed) throw Error("cannot make the folder " + path_.string() + ": " + failed.message());
  }
  ~NewFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

std::string name_of_folder(const SweepRequest& request) {
  if (!request.name.empty()) {
    if (request.name != folder_name(request.name) || request.name.starts_with("."))
      throw UsageError("--name \"" + request.name + "\" is no name of a folder",
                       "letters, digits, '.', '_' and '-' only, and no '.' in front");
    return request.name;
  }
  const std::string name = folder_name(request.file.stem().string());
  return name.ends_with("sweep") ? name : name + "-sweep";
}

/// What is in the place of a sweep that is to begin.
void require_same(const fs::path& there, const SweepPlan& known, const std::string& digest) {
  if (known.digest == digest) return;
  throw UsageError(
      there.string() + " is the sweep of another file: this one, what it extends or --set has changed since",
      "a new sweep needs a name: --name NAME; the old one goes on with: nephron sweep resume " +
          shell_word(there.string()));
}

/// Where a sweep is, or begins. Throws UsageError where something else is.
fs::path place_of(const SweepRequest& request) {
  fs::path path = fs::absolute(request.runs / name_of_folder(request)).lexically_normal();
  std::error_code no;
  if (fs::exists(path, no) && !is_sweep(path) && !fs::is_empty(path, no))
    throw UsageError(path.string() + " is there, and is no sweep", "give the sweep another name: --name NAME");
  return path;
}

/// Of those in the folders of runs; where none is, the folders themselves.
std::string known_sweeps() {
  std::vector<std::string> names, places;
  for (const fs::path& root : run_roots()) {
    places.push_back(root.string());
    std::error_code no;
    for (fs::directory_iterator at(root, no), end; !no && at != end; at.increment(no))
      if (is_sweep(at->path())) names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names.empty() ? "none is in " + names_of(places) + " (NEPHRON_RUNS names other folders of runs)"
                       : "there are " + names_of(names);
}

}  // namespace

void SweepFolder::require_place(const SweepRequest& request, const SweepPlan& plan) {
  if (const fs::path path = place_of(request); is_sweep(path))
    require_same(path, SweepPlan::read(plan_file(path)), plan.digest);
}

SweepFolder SweepFolder::create(const SweepRequest& request) {
  require_writable(request.runs, std::size_t{1} << 20);
  const fs::path path = place_of(request);
  std::error_code no;
  const NewFolder fresh(request.runs);
  SweepPlan plan = prepare_sweep(request, fresh.path() / "trials");
  if (is_sweep(path)) {
    SweepPlan known = SweepPlan::read(plan_file(path));
    require_same(path, known, plan.digest);
    log().info(path.string() + " is the sweep of this file: it goes on");
    return {path, std::move(known)};
  }
  plan.name = path.filename().string();
  plan.started = time_name();
  write_file_atomically(fresh.path() / "sweep.toml", read_file(request.file));
  write_file_atomically(plan_file(fresh.path()), plan.json());
  fs::create_directories(fresh.path() / "work");
  // Whole, or not at all; another process that begins the same sweep at this moment has made it.
  fs::rename(fresh.path(), path, no);
  if (no && is_sweep(path)) {
    SweepPlan known = SweepPlan::read(plan_file(path));
    require_same(path, known, plan.digest);
    return {path, std::move(known)};
  }
  if (no) throw Error("cannot make the folder " + path.string() + ": " + no.message());
  return {path, std::move(plan)};
}

SweepFolder SweepFolder::open(const fs::path& named) {
  std::vector<fs::path> places{named};
  if (!named.has_parent_path())
    for (const fs::path& root : run_roots())
      for (const char* ending : {"", "-sweep"}) places.push_back(root / (named.string() + ending));
  for (const fs::path& place : places)
    if (is_sweep(place)) {
      const fs::path path = fs::absolute(place).lexically_normal();
      return {path.has_filename() ? path : path.parent_path(), SweepPlan::read(plan_file(place))};
    }
  throw UsageError(
      "no sweep at " + named.string() + ": there is no plan.json; " + known_sweeps(),
      "a sweep is a folder such as runs/NAME-sweep, or runs/NAME where that ends in \"sweep\" itself, which "
      "nephron sweep NAME.toml makes; or what --name said. NAME is enough");
}

bool SweepFolder::stop_asked() const {
  std::error_code no;
  return fs::exists(stop_file(path_), no);
}

void SweepFolder::ask_stop() const {
  if (stop_asked()) return;  // what it took out is still to be put back
  write_file_atomically(stop_file(path_), time_text() + " by " + user_name() + "\n");
}

void SweepFolder::note_taken_out(const std::vector<std::string>& jobs) const {
  std::fstream file(stop_file(path_), std::ios::in | std::ios::out | std::ios::ate);  // which makes no file
  for (const std::string& job : jobs) file << "job " << ::geteuid() << " " << job << "\n";
}

std::vector<std::string> SweepFolder::taken_out() const {
  std::vector<std::string> out;
  std::ifstream file(stop_file(path_));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string what, job;
    uid_t user = 0;
    if (words >> what >> user >> job && what == "job" && user == ::geteuid()) out.push_back(job);
  }
  return out;
}

void SweepFolder::withdraw_stop() const {
  std::error_code no;
  if (fs::remove(stop_file(path_), no)) log().info("the stop that was asked for is withdrawn");
}

}  // namespace nephron::host
