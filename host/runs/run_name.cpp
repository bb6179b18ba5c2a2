#include <host/runs/run_name.hpp>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <nephron/error.hpp>

#include <host/runs/environment.hpp>
#include <host/runs/fold_number.hpp>
#include <host/runs/run.hpp>
#include <host/runs/run_folder_name.hpp>
#include <host/runs/run_record.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t id_letters = 6;

bool is_id(std::string_view text) {
  return text.size() == id_letters && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_run(const fs::path& folder) {
  std::error_code no;
  return fs::exists(folder / "experiment.resolved.toml", no);
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, fs::directory_options::skip_permission_denied, failed), end;
       !failed && entry != end; entry.increment(failed))
    if (!entry->path().filename().string().starts_with('.')) out.push_back(entry->path());
  std::sort(out.begin(), out.end());
  return out;
}

/// Runs whose folder is called so, or ends in this id.
std::vector<fs::path> runs_called(const std::string& name, const std::vector<fs::path>& roots) {
  std::vector<fs::path> out;
  for (const fs::path& root : roots)
    for (const fs::path& experiment : folders_in(root))
      for (const fs::path& run : folders_in(experiment)) {
        const std::string file = run.filename().string();
        if ((file == name || (is_id(name) && file.ends_with("-" + name))) && is_run(run)) out.push_back(run);
      }
  return out;
}

std::vector<fs::path> runs_of(const std::string& experiment, const std::vector<fs::path>& roots) {
  std::vector<fs::path> out;
  for (const fs::path& root : roots)
    for (const fs::path& run : folders_in(root / experiment))
      if (is_run(run)) out.push_back(run);
  // The latest last, whichever root it is in: their names begin with the time.
  std::stable_sort(out.begin(), out.end(),
                   [](const fs::path& a, const fs::path& b) { return a.filename() < b.filename(); });
  return out;
}

struct FinalDice {
  std::size_t folds = 0;
  double mean = 0;
};

/// Mean over the folds of their best Dice; nothing for a run that is not finished.
std::optional<FinalDice> final_dice(const fs::path& folder) try {
  const RunFolder run = RunFolder::open(folder);
  const std::vector<int> folds = folds_of_environment(run.environment());
  double sum = 0;
  for (const int k : folds) {
    if (!run.fold(k).finished()) return std::nullopt;
    const auto figures = read_done(run.fold(k).done());
    const auto best =
        std::find_if(figures.begin(), figures.end(), [](const auto& f) { return f.first == "best_dice"; });
    if (best == figures.end() || best->second < 0) return std::nullopt;
    sum += best->second;
  }
  if (folds.empty()) return std::nullopt;
  return FinalDice{folds.size(), sum / static_cast<double>(folds.size())};
} catch (const Error& e) {
  log().warning(folder.string() + " is passed over: " + e.what());
  return std::nullopt;
}

/// Of those that trained the most folds: a fold that is easy would make a run of it alone the best.
fs::path best_of(const std::vector<fs::path>& runs, const std::string& experiment) {
  const fs::path* best = nullptr;
  FinalDice most;
  double most_of_fewer = -1;
  for (const fs::path& run : runs) {
    const auto dice = final_dice(run);
    if (!dice) continue;
    if (best == nullptr || dice->folds > most.folds) {
      if (best != nullptr) most_of_fewer = std::max(most_of_fewer, most.mean);
      most = *dice, best = &run;
    } else if (dice->folds < most.folds) {
      most_of_fewer = std::max(most_of_fewer, dice->mean);
    } else if (dice->mean >= most.mean) {
      most = *dice, best = &run;
    }
  }
  if (best == nullptr)
    throw Error("no run of " + printable_name(experiment) + " is finished with a Dice, so none is the best",
                printable_name(experiment) + "@latest is the latest of them");
  if (most_of_fewer > most.mean)
    log().info(printable_name(experiment) + "@best is the best of those that trained " + counted(most.folds, "fold") +
               ", with a Dice of " + short_number(most.mean) +
               "; runs of fewer folds are not ranked beside them, also where their Dice is greater (" +
               short_number(most_of_fewer) + ")");
  return *best;
}

std::string joined(const std::vector<fs::path>& paths) {
  std::string out;
  for (const fs::path& path : paths) out += "\n  " + printable_name(path.string());
  return out;
}

std::optional<fs::path> find_whole_run(const std::string& name, const std::vector<fs::path>& roots) {
  const std::size_t at = name.rfind('@');
  if (at != std::string::npos) {
    const std::string experiment = name.substr(0, at);
    const std::vector<fs::path> runs = runs_of(experiment, roots);
    if (runs.empty())
      throw Error("there is no run of " + printable_name(experiment) + " in" + joined(roots), how_runs_are_named());
    return name.substr(at) == "@latest" ? runs.back() : best_of(runs, experiment);
  }
  const std::vector<fs::path> runs = runs_called(name, roots);
  if (runs.size() > 1) throw Error("several runs are called " + name + ":" + joined(runs), "Name one by its path.");
  return runs.empty() ? std::nullopt : std::optional(runs.front());
}

}  // namespace

bool is_run_name(std::string_view text) {
  if (text.size() != 15 + 1 + id_letters || text[8] != '-' || text[15] != '-') return false;
  const auto digits = [&](std::size_t from, std::size_t n) {
    return text.substr(from, n).find_first_not_of("0123456789") == std::string_view::npos;
  };
  return digits(0, 8) && digits(9, 6) && is_id(text.substr(16));
}

std::vector<fs::path> run_roots() {
  const char* const named = std::getenv("NEPHRON_RUNS");
  std::istringstream list(named != nullptr ? named : "");
  std::vector<fs::path> out;
  for (std::string root; std::getline(list, root, ':');)
    if (!root.empty()) out.emplace_back(root);
  if (out.empty()) out.emplace_back("runs");
  return out;
}

bool may_name_run(const std::string& text) {
  const std::string name = text.substr(0, text.find('/'));
  const bool of_experiment = (name.ends_with("@latest") || name.ends_with("@best")) && name.front() != '@';
  return of_experiment || is_id(name) || is_run_name(name);
}

std::optional<fs::path> find_run(const std::string& text, const std::vector<fs::path>& roots) {
  if (!may_name_run(text)) return std::nullopt;
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string fold = text.substr(std::min(slash + 1, text.size()));
  if (!fold.empty() && !fold_number(fold)) return std::nullopt;
  const auto run = find_whole_run(text.substr(0, slash), roots);
  return run && !fold.empty() ? std::optional(*run / fold) : run;
}

std::string how_runs_are_named() {
  return "A run is named by its folder, by the id at the end of that (1a2b3c), or by NAME@latest and NAME@best of an "
         "experiment. Ids and names are looked for in ./runs, or in the folders of NEPHRON_RUNS.";
}

}  // namespace nephron::host
