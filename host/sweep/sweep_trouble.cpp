#include <host/sweep/sweep_trouble.hpp>

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/runs/here_and_now.hpp>
#include <host/runs/sweep_part.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

/// So often a run is begun again after its process was killed, without having come further.
constexpr int most_deaths = 3;

fs::path failure_file(const fs::path& work) { return work / "failed.json"; }

std::string first_line(const std::string& text) { return printable_name(text.substr(0, text.find('\n'))); }

}  // namespace

std::string failure_of(const fs::path& work) {
  const fs::path file = failure_file(work);
  std::error_code no;
  if (!fs::exists(file, no)) return {};
  try {
    const std::string text = JsonNode::read(file).at("error").text();
    return text.empty() ? "it failed without a word" : text;
  } catch (const Error& e) {
    return first_line(e.what());
  }
}

void write_failure(const fs::path& work, const std::string& why, const std::string& hint) {
  const Json out{{"error", why}, {"hint", hint}, {"at", time_text()}};
  write_file_atomically(failure_file(work), out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

int forget_failures(const fs::path& sweep) {
  int out = 0;
  std::error_code failed;
  for (fs::directory_iterator entry(sweep / "work", failed), end; !failed && entry != end; entry.increment(failed)) {
    std::error_code no;
    out += fs::remove(failure_file(entry->path()), no);
    fs::remove(entry->path() / "deaths.jsonl", no);
  }
  return out;
}

bool note_death(const fs::path& work, std::int64_t epochs, const std::string& how) {
  const fs::path file = work / "deaths.jsonl";
  {
    std::ofstream out(file, std::ios::app);
    const Json line{{"epochs", epochs}, {"how", how}, {"at", time_text()}};
    out << line.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  }
  std::ifstream in(file);
  int count = 0;
  for (std::string line; std::getline(in, line);) {
    const Json json = Json::parse(line, nullptr, false);  // a torn line is one that counts less
    count += json.is_object() && json.contains("epochs") && json["epochs"] == epochs;
  }
  return count >= most_deaths;
}

std::vector<std::string> foreign_runs(const fs::path& sweep, const std::set<std::string>& planned) {
  std::vector<std::string> out;
  std::error_code failed;
  for (fs::directory_iterator entry(sweep, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    std::error_code no;
    if (planned.contains(name) || !fs::exists(sweep_part_file(entry->path()), no)) continue;
    try {
      if (const auto part = read_sweep_part(entry->path()))
        out.push_back(printable_name(name) + " says that it is trial " + std::to_string(part->trial) +
                      ", which is another run's: it does not count; move it out of " + sweep.string());
    } catch (const Error& e) {
      out.push_back(first_line(e.what()));
    }
  }
  return out;
}

}  // namespace nephron::host
