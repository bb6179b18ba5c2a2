#include <host/registry/trash.hpp>

#include <algorithm>
#include <optional>

#include <nephron/error.hpp>

#include <host/runs/folder_lock.hpp>
#include <host/runs/run.hpp>
#include <host/runs/sweep_part.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* trash_name = ".trash";

void move(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  if (fs::exists(fs::symlink_status(to, failed)))
    throw Error(from.string() + " cannot be moved: " + to.string() + " is there already", "Move that away first.");
  fs::create_directories(to.parent_path(), failed);
  if (!failed) fs::rename(from, to, failed);
  if (failed) throw Error("cannot move " + from.string() + " to " + to.string() + ": " + failed.message());
}

/// Run folders two levels below.
std::vector<fs::path> runs_below(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code failed;
  for (fs::directory_iterator experiment(folder, failed), end; !failed && experiment != end;
       experiment.increment(failed)) {
    std::error_code none;
    for (fs::directory_iterator run(experiment->path(), none), last; !none && run != last; run.increment(none))
      if (std::error_code no; fs::exists(run->path() / "experiment.resolved.toml", no)) out.push_back(run->path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// Another run that began with weights of this one, which it names by their real path.
std::optional<fs::path> heir_of(const fs::path& run, const RunIndex& index) {
  for (const FoundUse& use : index.uses_below(Use::Kind::weights, run.string()))
    for (const IndexedRun& other : index.runs())
      if (other.number == use.run && other.folder != run) return other.folder;
  return std::nullopt;
}

}  // namespace

fs::path trash_of(const fs::path& root) { return root / trash_name; }

fs::path move_to_trash(const fs::path& named, const RunIndex& index, bool anyway) {
  const fs::path run = fs::canonical(RunFolder::open(named).folder());
  if (const auto heir = heir_of(run, index))
    throw Error(run.string() + " stays: " + printable_name(heir->string()) + " began with its weights",
                "Remove that one first.");
  const auto part = anyway ? std::nullopt : read_sweep_part(run);
  if (part && fs::exists(run.parent_path() / "plan.json"))
    throw Error(run.string() + " stays: it is a run of trial " + std::to_string(part->trial) + " of the sweep " +
                    part->sweep + ", which without it has another result, and trains it again when it goes on",
                "--anyway moves it all the same; a sweep that is not wanted any more is its folder: " +
                    run.parent_path().string());
  // Held while it is moved, so that no session begins meanwhile.
  const FolderLock lock(run);
  if (const auto& who = lock.other_holder())
    throw Error(run.string() + " stays: it is running" + (who->empty() ? "" : " (" + *who + ")"), "Stop it first.");
  const fs::path experiment = run.parent_path();
  const fs::path to = trash_of(experiment.parent_path()) / experiment.filename() / run.filename();
  move(run, to);
  return to;
}

std::vector<fs::path> runs_in_trash(const std::vector<fs::path>& roots) {
  std::vector<fs::path> out;
  for (const fs::path& root : roots)
    for (fs::path& run : runs_below(trash_of(root))) out.push_back(std::move(run));
  return out;
}

fs::path restore(const std::string& name, const std::vector<fs::path>& known_roots) {
  std::vector<fs::path> found, roots = known_roots;
  std::error_code failed;
  const fs::path as_path = fs::absolute(name).lexically_normal();
  // ROOT/.trash/EXPERIMENT/RUN says itself where it was.
  if (const fs::path trash = as_path.parent_path().parent_path(); trash.filename() == trash_name)
    roots = {trash.parent_path()};
  for (const fs::path& run : runs_in_trash(roots)) {
    const std::string folder = run.filename().string();
    if (folder == name || folder.ends_with("-" + name) || fs::equivalent(run, as_path, failed)) found.push_back(run);
  }
  if (found.empty())
    throw Error("there is no run \"" + printable_name(name) + "\" in the trash",
                "nephron runs restore, without a name, lists what is there");
  if (found.size() > 1)
    throw Error("several runs in the trash are called \"" + printable_name(name) + "\": " + found[0].string() + ", " +
                    found[1].string(),
                "Name one by its path.");
  const fs::path& run = found.front();
  const fs::path experiment = run.parent_path();
  const fs::path to = experiment.parent_path().parent_path() / experiment.filename() / run.filename();
  move(run, to);
  return to;
}

}  // namespace nephron::host
