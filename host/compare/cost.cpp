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

}  // namespace nephron::host
