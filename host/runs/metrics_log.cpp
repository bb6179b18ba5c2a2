#include <host/runs/metrics_log.hpp>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <sstream>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::int64_t most_steps = std::int64_t{1} << 50;  // every one of which a double holds

/// Keeps the lines up to a step; a line torn by a kill goes too.
void keep_until(const fs::path& file, std::int64_t step) {
  if (!fs::exists(file)) return;
  std::istringstream lines(read_file(file));
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("step") && json["step"].is_number_integer() && json["step"] <= step)
      kept += line + "\n";
  }
  write_file_atomically(file, kept);
}

}  // namespace

MetricsLog::MetricsLog(const fs::path& folder, std::int64_t resumed_at)
    : file_(folder / "metrics.jsonl"),
      // Steps count what is done, so that the first one to come is the next; 0 keeps nothing.
      board_((keep_until(file_, resumed_at), folder), fs::exists(file_) ? resumed_at + 1 : -1) {
  lines_.open(file_, std::ios::app);
  if (!lines_) throw Error("cannot write " + file_.string() + ": " + std::strerror(errno));
}

void MetricsLog::write(std::int64_t step, const Values& values) {
  Json line;
  line["step"] = step;
  for (const auto& [name, value] : values) {
    // JSON has no word for these; a null would hide that something was measured.
    if (std::isfinite(value)) line[name] = value;
    else line[name] = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
  lines_ << line.dump() << '\n';
  board_.scalars(step, values);
}

void MetricsLog::flush() {
  if (!lines_.flush()) throw Error("cannot write " + file_.string() + ": is the disk full?");
  board_.flush();
}

std::vector<std::pair<std::int64_t, MetricsLog::Values>> read_metrics(const fs::path& file) {
  std::vector<std::pair<std::int64_t, MetricsLog::Values>> out;
  std::istringstream lines(read_file(file));
  std::int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const bool last = lines.peek() == std::char_traits<char>::eof();
    if (last && !Json::accept(line)) break;  // torn by a kill
    const JsonNode json = JsonNode::parse(line, file.string() + ":" + std::to_string(number),
                                          "Remove the line: the curves then lack this step.");
    auto& [step, values] = out.emplace_back(json.at("step").integer(0, most_steps), MetricsLog::Values{});
    for (const auto& [name, value] : json.members())
      if (name != "step" && value.raw().is_number()) values.emplace_back(name, value.number());
  }
  return out;
}

}  // namespace nephron::host
