#include <host/runs/run.hpp>

#include <algorithm>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

#include <nephron/error.hpp>
#include <nephron/folder_name.hpp>

#include <host/runs/fold_number.hpp>
#include <host/runs/here_and_now.hpp>
#include <host/runs/next_run.hpp>
#include <host/runs/run_name.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/random_id.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* what_a_run_is =
    "A run is a folder such as runs/NAME/20260131-120000-1a2b3c; runs/NAME stands for its latest run.";

/// Once a process, however often a command looks the run up.
void say_latest(const fs::path& asked, const RunFolder& run, std::size_t runs) {
  static std::mutex mutex;
  static std::set<fs::path> said;
  const std::lock_guard lock(mutex);
  if (!said.insert(fs::absolute(asked).lexically_normal()).second) return;
  log().info(asked.string() + " holds " + counted(runs, "run") + "; taking the latest, " +
             run.folder().filename().string());
}

/// Runs of an experiment, the latest last: their names begin with the time.
std::vector<fs::path> runs_in(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder, fs::directory_options::skip_permission_denied))
    if (std::error_code no; fs::exists(entry.path() / "experiment.resolved.toml", no)) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

namespace {
fs::path file_of(const fs::path& checkpoints, const std::string& which) {
  return which == "average" ? checkpoints / "last" / "average.safetensors"
                            : checkpoints / which / "weights.safetensors";
}
}  // namespace

fs::path FoldFolder::weights(const std::string& which) const {
  const fs::path file = file_of(checkpoints(), which);
  if (fs::exists(file)) return file;
  const std::string run = folder.parent_path().string(), name = "fold " + std::to_string(fold) + " of " + run,
                    resume = "nephron train --resume " + run;
  const bool has_last = has_checkpoint("last");
  if (which == "average" && has_last)
    throw Error(
        name + " has no averaged weights",
        "They are made where the experiment has [train.average], from its \"start\" on; --checkpoint best or last "
        "takes what there is.");
  if (which != "last" && has_last)
    throw Error(name + " has no checkpoint \"" + which + "\" yet: none of its epochs was finished",
                "--checkpoint last takes the newest weights; " + resume + " goes on with the training.");
  const std::string what = name + " has no checkpoint \"" + which + "\": " + file.string() + " does not exist";
  if (!begun()) throw Error(what, "Train it first, or resume it: " + resume);
  throw Error(what, std::string("It was there and is gone: put the file back from a copy of the run, ") +
                        (has_checkpoint("best") ? "take --checkpoint best, " : "") + "or begin a new run.");
}

bool FoldFolder::has_checkpoint(const std::string& which) const { return fs::exists(file_of(checkpoints(), which)); }

bool FoldFolder::finished() const { return fs::exists(done()); }

bool FoldFolder::begun() const { return fs::is_symlink(fs::symlink_status(checkpoints() / "last")); }

namespace {
fs::path& next_run() {
  static fs::path folder;
  return folder;
}
}  // namespace

void name_next_run(const fs::path& folder) { next_run() = folder; }

RunFolder RunFolder::propose(const fs::path& runs, const std::string& experiment) {
  RunFolder run;
  if (!next_run().empty()) {
    run.folder_ = fs::absolute(std::exchange(next_run(), {})).lexically_normal();
    return run;
  }
  do run.folder_ = fs::absolute(runs / folder_name(experiment) / (time_name() + "-" + random_id())).lexically_normal();
  while (fs::exists(fs::symlink_status(run.folder_)));
  return run;
}

void RunFolder::make() const {
  std::error_code failed;
  fs::create_directories(folder_.parent_path(), failed);
  // False without an error: another process has taken the name since it was proposed.
  if (!failed && fs::create_directory(folder_, failed)) return;
  throw Error("cannot make the folder " + folder_.string() + ": " + (failed ? failed.message() : "it is there already"),
              failed ? "" : "Start again: every start has a name of its own.");
}

RunFolder RunFolder::create(const fs::path& runs, const std::string& experiment) {
  const RunFolder run = propose(runs, experiment);
  run.make();
  return run;
}

RunFolder RunFolder::open(const fs::path& path) {
  RunFolder run;
  run.folder_ = fs::absolute(path).lexically_normal();
  if (std::error_code no; !fs::exists(run.folder_, no))
    if (const auto named = find_run(path.string(), run_roots())) run.folder_ = fs::absolute(*named).lexically_normal();
  if (!run.folder_.has_filename()) run.folder_ = run.folder_.parent_path();  // "runs/x/" ends with an empty name
  if (!fs::exists(run.folder_))
    throw Error("no run at " + path.string() + ": there is no such folder, and no run of that name",
                how_runs_are_named());
  if (!fs::is_directory(run.folder_)) throw Error(path.string() + " is no folder, so no run", what_a_run_is);
  if (const auto k = fold_number(run.folder_); k && !fs::exists(run.experiment())) {
    run.opened_fold_ = *k;
    run.folder_ = run.folder_.parent_path();
  }
  if (fs::exists(run.experiment())) return run;
  const std::vector<fs::path> inside = runs_in(run.folder_);
  if (inside.empty()) throw Error(path.string() + " is no run: it holds no experiment.resolved.toml", what_a_run_is);
  run.folder_ = inside.back();
  if (inside.size() > 1) say_latest(path, run, inside.size());
  return run;
}

FoldFolder RunFolder::fold(int k) const { return {folder_ / ("fold-" + std::to_string(k)), k}; }

std::vector<int> RunFolder::folds() const {
  std::vector<int> out;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const auto k = fold_number(entry.path());
    if (k && entry.is_directory()) out.push_back(*k);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace nephron::host
