#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include <host/queue/shares.hpp>
#include <host/registry/run_table.hpp>

namespace nephron::host {

using Json = nlohmann::ordered_json;

namespace {

double rounded(double value) { return std::round(100 * value) / 100; }

}  // namespace

std::string to_text(const std::vector<UserShare>& shares, const HostFile& host) {
  const bool has_gpus = !host.machine.gpus.empty();
  std::vector<std::string> columns{"user", "used GPU-h", "share", "cores held", "cores used"};
  if (has_gpus) columns.insert(columns.end(), {"GPUs held", "GPUs used"});
  columns.emplace_back("beyond");
  std::vector<std::vector<RunTable::Cell>> rows;
  for (const UserShare& s : shares) {
    char percent[16];
    std::snprintf(percent, sizeof percent, "%.0f %%", 100 * s.share);
    auto& row = rows.emplace_back(std::vector<RunTable::Cell>{s.user, rounded(s.gpu_seconds / 3600),
                                                              std::string(percent), std::int64_t{s.cores_held}});
    row.push_back(s.cores_used ? RunTable::Cell(rounded(*s.cores_used)) : RunTable::Cell());
    if (has_gpus) row.insert(row.end(), {rounded(s.gpus_held), rounded(s.gpus_used)});
    row.emplace_back(s.beyond);
  }
  return rows.empty() ? std::string() : to_text(columns, rows, terminal_width());
}

std::string to_json(const std::vector<UserShare>& shares) {
  Json out = Json::array();
  for (const UserShare& s : shares)
    out.push_back({{"user", s.user},
                   {"gpu_seconds", s.gpu_seconds},
                   {"share", s.share},
                   {"cores_held", s.cores_held},
                   {"cores_used", s.cores_used ? Json(*s.cores_used) : Json(nullptr)},
                   {"gpus_held", s.gpus_held},
                   {"gpus_used", s.gpus_used},
                   {"beyond", s.beyond}});
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nephron::host
