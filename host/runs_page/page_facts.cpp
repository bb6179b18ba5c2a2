#include <host/runs_page/page_facts.hpp>

#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include <nlohmann/json.hpp>

#include <host/config/changes.hpp>
#include <host/registry/run_table.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

struct Column {
  std::vector<std::optional<FactValue>> values;  ///< a run each
  bool recipe = false;
};

Json json_of(const FactValue& value) {
  return std::visit([](const auto& v) { return Json(v); }, value);
}

/// 1 and 1.0 are alike.
std::string comparable(const FactValue& value) {
  const auto number = number_of(value);
  return number ? text_of(FactValue(*number)) : text_of(value);
}

const char* name_of(ShownAs as) {
  switch (as) {
    case ShownAs::share:
      return "share";
    case ShownAs::seconds:
      return "seconds";
    case ShownAs::time:
      return "time";
    case ShownAs::plain:
      break;
  }
  return "plain";
}

Json json_of(const std::string& key, const Column& column) {
  Json out{{"key", key}, {"as", name_of(shown_as(key))}};
  if (column.recipe) out["recipe"] = true;
  const auto& first = column.values.front();
  bool all_alike = first.has_value(), all_texts = true;
  for (const auto& value : column.values) {
    all_alike = all_alike && value == first;
    all_texts = all_texts && (!value || std::holds_alternative<std::string>(*value));
  }
  if (all_alike) {
    out["all"] = json_of(*first);
  } else if (all_texts) {
    // Each text once: a name of an encoder stands in a thousand runs.
    std::unordered_map<std::string, std::size_t> places;
    Json texts = Json::array(), at = Json::array();
    for (const auto& value : column.values) {
      if (!value) {
        at.push_back(-1);
        continue;
      }
      const auto [place, is_new] = places.emplace(std::get<std::string>(*value), places.size());
      if (is_new) texts.push_back(place->first);
      at.push_back(place->second);
    }
    out["texts"] = std::move(texts), out["at"] = std::move(at);
  } else {
    Json values = Json::array();
    for (const auto& value : column.values) values.push_back(value ? json_of(*value) : Json());
    out["values"] = std::move(values);
  }
  return out;
}

}  // namespace

PageFacts page_facts(const RunIndex& index, const std::vector<IndexedRun>& runs) {
  std::unordered_map<std::int64_t, std::size_t> rows;
  for (std::size_t i = 0; i < runs.size(); ++i) rows.emplace(runs[i].number, i);
  std::map<std::string, Column> columns;
  index.each([&](std::int64_t run, const std::string& key, std::optional<FactSource> source, const FactValue& value) {
    const auto row = rows.find(run);
    if (row == rows.end()) return;
    Column& column = columns[key];
    column.values.resize(runs.size());
    column.values[row->second] = value;
    column.recipe = column.recipe || (source == FactSource::experiment && is_of_recipe(key));
  });
  PageFacts out;
  std::vector<std::string> recipes(runs.size());
  for (const auto& [key, column] : columns) {
    out.keys.push_back(json_of(key, column));
    const bool parts = column.recipe || key == "folds";  // what other folds trained is no other seed
    for (std::size_t i = 0; parts && i < runs.size(); ++i)
      if (column.values[i]) recipes[i] += key + "\n" + comparable(*column.values[i]) + "\n";
  }
  std::unordered_map<std::string, std::size_t> numbers;
  for (std::string& recipe : recipes) {
    const std::size_t next = numbers.size();
    out.recipes.push_back(numbers.emplace(std::move(recipe), next).first->second);
  }
  return out;
}

}  // namespace nephron::host
