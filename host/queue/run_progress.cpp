#include <host/queue/run_progress.hpp>

#include <map>

#include <nephron/error.hpp>

#include <host/registry/run_pace.hpp>
#include <host/registry/run_reader.hpp>
#include <host/runs/ended.hpp>
#include <host/runs/run.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

std::string progress_of(const fs::path& run) try {
  std::string out;
  std::error_code failed;
  if (run.empty() || !fs::exists(run, failed)) return out;
  for (const int k : RunFolder::open(run).folds()) {
    const FoldFolder fold = RunFolder::open(run).fold(k);
    out += std::to_string(k) + ":" + fs::read_symlink(fold.checkpoints() / "last", failed).string() +
           (fold.finished() ? " done " : " ");
  }
  return out;
} catch (const std::exception& e) {  // removed while it trained, say: whoever goes on with it is told
  log().debug(e.what());
  return {};
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

namespace {

void give_up(const Ticket& ticket, const JobState& state) {
  const std::string release = " puts it in line again: nephron release " + ticket.id;
  if (state.how == JobState::How::cancelled)
    return write_ended(ticket.run, EndedBy::interruption, "",
                       "Its job in the queue was cancelled before it began. This" + release);
  const std::string how = state.how == JobState::How::failed ? "failed: " : "";
  write_ended(ticket.run, EndedBy::error, "it has not begun: its job in the queue " + how + state.why,
              "nephron logs " + ticket.id + " says more. This" + release);
}

}  // namespace

void tell_run(const Ticket& ticket, const JobState& state) try {
  if (ticket.run.empty()) return;
  const bool over = state.at == JobState::At::ended && state.how != JobState::How::finished;
  if (over && RunReader(ticket.run).state().status == RunStatus::waiting) give_up(ticket, state);
  if (over) return;
  const auto told = read_ended(ticket.run);
  if (std::error_code failed; told && told->session == 0) fs::remove(ended_file(ticket.run), failed);
} catch (const Error& e) {  // of a run that was moved or is damaged: whoever reads it is told
  log().debug(e.what());
}

}  // namespace nephron::host
