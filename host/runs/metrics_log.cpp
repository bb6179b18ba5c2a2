#include <host/runs/metrics_log.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <sstream>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/util/checked_json.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::int64_t most_steps = std::int64_t{1} << 50;  // every one of which a double holds

/// "3, 5, 9 and 12 more"
std::string first_of(const std::vector<std::int64_t>& numbers) {
  constexpr std::size_t most = 10;
  std::string out;
  for (std::size_t i = 0; i < std::min(most, numbers.size()); ++i)
    out += (out.empty() ? "" : ", ") + std::to_string(numbers[i]);
  return numbers.size() > most ? out + " and " + std::to_string(numbers.size() - most) + " more" : out;
}

/// Keeps the lines up to a step. A last line torn by a kill goes without a word; what else is no line of ours is told.
void keep_until(const fs::path& file, std::int64_t step) {
  if (!fs::exists(file)) return;
  std::istringstream lines(read_file(file));
  std::string kept;
  std::int64_t number = 0, count = 0;
  std::vector<std::int64_t> damaged;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) {
      if (!lines.eof()) damaged.push_back(number);
    } else if (json["step"] <= step) {
      kept += line + "\n";
      ++count;
    }
  }
  if (!damaged.empty())
    log().warning(file.string() + (damaged.size() == 1 ? ": line " : ": lines ") + first_of(damaged) +
                  (damaged.size() == 1 ? " is damaged and goes; " : " are damaged and go; ") + counted(count, "line") +
                  " up to step " + std::to_string(step) + " stay, and the curves lack what was lost");
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
