#include <host/compare/cost.hpp>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <host/runs/cost_record.hpp>
#include <host/runs/run.hpp>
#include <host/runs/run_record.hpp>
#include <host/util/checked_json.hpp>

namespace nephron::host {

RunCost cost_of(const std::filesystem::path& folder) {
  const RunFolder run = RunFolder::open(folder);
  RunCost out;
  double seconds = 0, peak = 0;
  for (const int k : run.folds()) {
    ++out.folds;
    if (!run.fold(k).finished()) continue;
    ++out.finished;
    for (const auto& [name, value] : read_done(run.fold(k).done())) {
      if (name == "seconds") seconds += value;
      if (name == "peak_rss_mb") peak = std::max(peak, value);
    }
  }
  const RunCostRecord record = read_cost(run.folder());
  peak = std::max(peak, record.peak_rss_mb);
  if (out.folds > 0 && out.finished == out.folds && seconds > 0) out.seconds = seconds;
  if (peak > 0) out.peak_mb = peak;
  if (out.seconds && !record.sessions.empty()) {
    out.cpu_seconds = record.cpu_s, out.gpu_seconds = record.gpu_s, out.energy_wh = record.energy_wh;
    out.beside_others = record.beside_others, out.was_beside = record.was_beside;
  }
  if (!std::filesystem::exists(run.environment())) return out;
  const EnvironmentRecord environment = read_environment(run.environment());
  out.device = environment.device, out.host = environment.host;
  int sessions = 0;
  for (const auto& [name, value] : environment.facts) {
    if (name == "cpu" || name.ends_with(".cpu")) out.processor = value;
    if (name.starts_with("sessions.") && name.ends_with(".started")) ++sessions;
  }
  out.sessions = std::max(1, sessions);
  return out;
}

RunCost cost_of_all(const std::vector<std::filesystem::path>& runs) {
  RunCost out = cost_of(runs.at(0));
  const auto add = [](std::optional<double>& to, const std::optional<double>& more) {
    to = to && more ? std::optional(*to + *more) : std::nullopt;
  };
  const auto same = [](std::string& to, const std::string& more) {
    if (to != more && to.find(more) == std::string::npos) to += ", " + more;
  };
  for (std::size_t i = 1; i < runs.size(); ++i) {
    const RunCost more = cost_of(runs[i]);
    // The share of others' work is that of the longest.
    if (!out.beside_others || !more.beside_others) out.beside_others.reset();
    else if (more.seconds > out.seconds) out.beside_others = more.beside_others;
    out.was_beside = out.was_beside || more.was_beside;
    add(out.seconds, more.seconds), add(out.cpu_seconds, more.cpu_seconds);
    add(out.gpu_seconds, more.gpu_seconds), add(out.energy_wh, more.energy_wh);
    if (more.peak_mb) out.peak_mb = std::max(out.peak_mb.value_or(0), *more.peak_mb);
    same(out.device, more.device), same(out.host, more.host), same(out.processor, more.processor);
    out.folds += more.folds, out.finished += more.finished, out.sessions += more.sessions;
  }
  return out;
}

}  // namespace nephron::host
