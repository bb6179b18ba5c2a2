#include <host/runs/run_record.hpp>

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include <host/util/checked_json.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;
using Facts = std::vector<std::pair<std::string, std::string>>;

/// JSON as rows "a.b": text; what is deeper than anything that we write is left out, for each level takes stack.
void flatten(const Json& value, const std::string& key, int depth, Facts& rows) {
  const auto structured = [](const Json& item) { return item.is_structured(); };
  if (value.is_object() || std::any_of(value.begin(), value.end(), structured)) {
    if (depth > 20) return rows.emplace_back(key, "..."), void();
    for (const auto& [name, member] : value.items())
      flatten(member, key.empty() ? name : key + "." + name, depth + 1, rows);
  } else {
    rows.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

std::string text_of(const JsonNode& json, const char* key) {
  const auto found = json.find(key);
  return found ? found->text() : std::string();
}

}  // namespace

EnvironmentRecord read_environment(const std::filesystem::path& file) {
  const JsonNode json = JsonNode::read(file,
                                       "It only says what the run ran with: put it back from a copy, or remove "
                                       "it.");
  EnvironmentRecord out{text_of(json, "started"), text_of(json, "host"), text_of(json, "device"), {}, {}};
  if (const auto folds = json.find("folds"))
    for (const JsonNode& fold : folds->items())
      out.folds.push_back(static_cast<int>(fold.integer(0, std::numeric_limits<int>::max())));
  flatten(json.raw(), "", 0, out.facts);
  return out;
}

MetricsLog::Values read_done(const std::filesystem::path& file) {
  MetricsLog::Values out;
  const JsonNode json = JsonNode::read(
      file,
      "Put it back from a copy, or remove it: the fold then counts as unfinished, and nephron train --resume "
      "finishes it.");
  for (const auto& [key, value] : json.members())
    if (value.raw().is_number())
      out.emplace_back(key, key == "seconds" || key == "steps" ? value.number(0, 1e15) : value.number());
  return out;
}

}  // namespace nephron::host
