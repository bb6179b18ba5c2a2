#include <host/queue/run_progress.hpp>

#include <map>

#include <host/registry/run_pace.hpp>
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
  const auto pace = pace_of([&](const char* key) -> const FactValue* {
    const auto found = facts.find(key);
    return found == facts.end() ? nullptr : &found->second;
  });
  return pace ? pace->seconds_left : std::nullopt;
}

}  // namespace nephron::host
