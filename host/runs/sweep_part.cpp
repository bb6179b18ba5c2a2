#include <host/runs/sweep_part.hpp>

#include <limits>

#include <nlohmann/json.hpp>

#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

fs::path sweep_part_file(const fs::path& run) { return run / "sweep.json"; }

void write_sweep_part(const fs::path& run, const SweepPart& part) {
  const nlohmann::ordered_json out{
      {"sweep", part.sweep}, {"trial", part.trial}, {"rung", part.rung}, {"confirms", part.confirms}};
  write_file_atomically(sweep_part_file(run), out.dump() + "\n");
}

std::optional<SweepPart> read_sweep_part(const fs::path& run) {
  const fs::path file = sweep_part_file(run);
  std::error_code failed;
  if (!fs::exists(file, failed)) return std::nullopt;
  const JsonNode json = JsonNode::read(file, "Remove it: nephron sweep resume writes it again.");
  constexpr int most = std::numeric_limits<int>::max();
  SweepPart out;
  out.sweep = json.at("sweep").text();
  out.trial = static_cast<int>(json.at("trial").integer(0, most));
  out.rung = static_cast<int>(json.at("rung").integer(0, 1000));
  out.confirms = json.at("confirms").boolean();
  return out;
}

}  // namespace nephron::host
