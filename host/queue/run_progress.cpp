#include <host/queue/run_progress.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include <host/registry/run_reader.hpp>
#include <host/runs/run.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

std::string progress_of(const fs::path& run) {
  std::string out;
  std::error_code failed;
  if (run.empty() || !fs::exists(run, failed)) return out;
  for (const int k : RunFolder::open(run).folds()) {
    const FoldFolder fold = RunFolder::open(run).fold(k);
    out += std::to_string(k) + ":" + fs::read_symlink(fold.checkpoints() / "last", failed).string() +
           (fold.finished() ? " done " : " ");
  }
  return out;
}

bool run_finished(const fs::path& run) { return !run.empty() && RunReader(run).state().status == RunStatus::finished; }

std::optional<double> seconds_left(const fs::path& run) {
  if (run.empty()) return std::nullopt;
  const RunReader reader(run);
  std::map<std::string, FactValue> facts;
  for (const FactSource source : {FactSource::experiment, FactSource::environment, FactSource::results})
    for (const Fact& fact : reader.read(source).facts) facts.emplace(fact.key, fact.value);
  const auto number = [&](const char* key) {
    const auto found = facts.find(key);
    return found == facts.end() ? 0.0 : number_of(found->second).value_or(0.0);
  };
  const std::string folds = facts.contains("folds") ? text_of(facts.at("folds")) : "";
  const double count = 1 + static_cast<double>(std::count(folds.begin(), folds.end(), ','));
  const double accumulate = std::max(1.0, number("train.accumulate")), pace = number("tiles_per_s");
  const double all = count * number("train.epochs") * std::ceil(number("train.steps_per_epoch") / accumulate);
  if (!(all > 0) || !(pace > 0)) return std::nullopt;
  const double left = (all - std::min(all, number("steps"))) * accumulate * number("train.batch") / pace;
  return std::isfinite(left) ? std::optional(std::max(0.0, left)) : std::nullopt;
}

}  // namespace nephron::host
