#include <host/runs/cost_record.hpp>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <host/runs/fold_number.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr double most_seconds = 1e12, most_mb = 1e12;
constexpr int most_ranks = 1'000'000;

SessionCost session_of(const JsonNode& json) {
  SessionCost out;
  out.started = json.at("started").text();
  out.wall_s = json.at("wall_s").number(0, most_seconds);
  out.cpu_s = json.at("cpu_s").number(0, most_seconds);
  out.gpu_s = json.at("gpu_s").number(0, most_seconds);
  out.peak_rss_mb = json.at("peak_rss_mb").number(0, most_mb);
  out.others_cpu_s = json.at("others_cpu_s").number(0, most_seconds);
  out.machine_s = json.at("machine_s").number(0, most_seconds);
  if (const auto shared = json.find("gpu_shared")) out.gpu_shared = shared->boolean();
  if (const auto energy = json.find("energy_wh")) out.energy_wh = energy->number(0, most_seconds);
  if (const auto ranks = json.find("ranks")) out.ranks = static_cast<int>(ranks->integer(1, most_ranks));
  return out;
}

Json json_of(const SessionCost& cost) {
  Json out{{"started", cost.started},    {"wall_s", cost.wall_s},           {"cpu_s", cost.cpu_s},
           {"gpu_s", cost.gpu_s},        {"peak_rss_mb", cost.peak_rss_mb}, {"others_cpu_s", cost.others_cpu_s},
           {"machine_s", cost.machine_s}};
  if (cost.gpu_shared) out["gpu_shared"] = *cost.gpu_shared;
  if (cost.energy_wh) out["energy_wh"] = *cost.energy_wh;
  if (cost.ranks > 1) out["ranks"] = cost.ranks;
  return out;
}

}  // namespace

fs::path cost_file(const fs::path& run) { return run / "cost.json"; }

RunCostRecord sum_of(std::vector<SessionCost> sessions) {
  // A tenth of the machine's work, and more than the services that every machine runs.
  constexpr double much = 0.1, least_of_machine = 0.02;
  RunCostRecord out;
  double cpu = 0, others = 0, machine = 0, energy = 0;
  bool all_counted = !sessions.empty(), all_measured = !sessions.empty(), shared = false;
  for (const SessionCost& one : sessions) {
    cpu += one.cpu_s, others += one.others_cpu_s, machine += one.machine_s;
    out.gpu_s += one.gpu_s;
    out.peak_rss_mb = std::max(out.peak_rss_mb, one.peak_rss_mb);
    energy += one.energy_wh.value_or(0);
    all_measured = all_measured && one.energy_wh.has_value();
    all_counted = all_counted && one.ranks == 1;
    shared = shared || one.gpu_shared.value_or(false);
  }
  if (all_counted) out.cpu_s = cpu;
  if (all_measured) out.energy_wh = energy;
  if (cpu + others > 0) out.beside_others = others / (cpu + others);
  out.was_beside = shared || (out.beside_others > much && others > least_of_machine * machine);
  out.sessions = std::move(sessions);
  return out;
}

std::vector<SessionCost> sessions_in(const fs::path& folder) {
  const fs::path file = cost_file(folder);
  std::error_code failed;
  if (!fs::exists(file, failed)) return {};
  std::vector<SessionCost> out;
  const JsonNode json = JsonNode::read(file, "Remove it: what the run took of the machine is then not known.");
  for (const JsonNode& one : json.at("sessions").items()) out.push_back(session_of(one));
  return out;
}

RunCostRecord read_cost(const fs::path& run) {
  std::vector<SessionCost> sessions = sessions_in(run);
  std::error_code failed;
  for (fs::directory_iterator entry(run, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (!fold_number(entry->path())) continue;
    const std::vector<SessionCost> more = sessions_in(entry->path());
    sessions.insert(sessions.end(), more.begin(), more.end());
  }
  if (sessions.empty()) return {};
  return sum_of(std::move(sessions));
}

void write_cost(const fs::path& run, const std::vector<SessionCost>& sessions) {
  Json all = Json::array();
  for (const SessionCost& one : sessions) all.push_back(json_of(one));
  write_file_atomically(cost_file(run),
                        Json{{"sessions", std::move(all)}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace nephron::host
