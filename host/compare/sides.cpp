#include <host/compare/sides.hpp>

#include <algorithm>
#include <map>
#include <set>

#include <nephron/error.hpp>

#include <host/config/changes.hpp>
#include <host/config/show.hpp>
#include <host/util/counted.hpp>

namespace nephron::host {

namespace {

/// What all names begin with, without what parts it from the rest.
std::string common_start(const std::vector<std::string>& names) {
  std::string out = names[0];
  for (const std::string& name : names)
    out.resize(
        static_cast<std::size_t>(std::mismatch(out.begin(), out.end(), name.begin(), name.end()).first - out.begin()));
  const std::size_t end = out.find_last_not_of("-_/. ");
  return end == std::string::npos ? names[0] : out.substr(0, end + 1);
}

/// Numbers as one kind, so that 1 and 1.0 are alike.
std::string comparable(const Value& v) { return v.is(Value::Type::integer) ? Value(v.number()).str() : v.str(); }

}  // namespace

Recipe recipe_of(const MeasuredRun& run) {
  Recipe out;
  for (const Leaf& leaf : leaves(run.config)) {
    if (leaf.key == "seed") out.seed = leaf.value->str();
    else if (is_of_recipe(leaf.key)) out.keys[leaf.key] = comparable(*leaf.value);
  }
  return out;
}

std::vector<Side> sides_of_runs(const std::vector<MeasuredRun>& runs) {
  std::vector<Side> out;
  for (std::size_t i = 0; i < runs.size(); ++i) out.push_back({runs[i].name, {i}});
  return out;
}

std::vector<Side> sides_by_seed(const std::vector<MeasuredRun>& runs) {
  std::vector<Side> out;
  std::map<std::map<std::string, std::string>, std::size_t> known;
  std::map<std::pair<std::size_t, std::string>, std::size_t> seeds;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    Recipe recipe = recipe_of(runs[i]);
    const auto [at, is_new] = known.emplace(std::move(recipe.keys), out.size());
    if (is_new) out.emplace_back();
    const auto [other, is_another] = seeds.emplace(std::pair(at->second, recipe.seed), i);
    if (!is_another)
      throw Error(runs[other->second].name + " and " + runs[i].name + " are one recipe with one seed (" + recipe.seed +
                      "): they tell nothing of the spread between seeds",
                  "leave one out, or compare them without --by seed");
    out[at->second].runs.push_back(i);
  }
  for (Side& side : out) {
    std::vector<std::string> names;
    for (const std::size_t run : side.runs) names.push_back(runs[run].name);
    side.name = names.size() == 1 ? names[0] : common_start(names) + " (" + counted(names.size(), "seed") + ")";
  }
  std::set<std::string> unique;
  for (Side& side : out)
    for (int n = 2; !unique.insert(side.name).second; ++n) side.name = side.name + " #" + std::to_string(n);
  return out;
}

bool is_named(const std::string& key, const std::vector<std::string>& vary) {
  return std::any_of(vary.begin(), vary.end(), [&](const std::string& name) {
    return key == name || (key.starts_with(name) && key[name.size()] == '.');
  });
}

std::vector<ConfigDifference> config_differences(const std::vector<MeasuredRun>& runs, const std::vector<Side>& sides,
                                                 const std::vector<std::string>& vary) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<const Value*>> values;  // a side each
  for (std::size_t s = 0; s < sides.size(); ++s)
    for (const Leaf& leaf : leaves(runs[sides[s].runs.at(0)].config)) {
      auto& of = values[leaf.key];
      if (of.empty()) of.resize(sides.size(), nullptr), order.push_back(leaf.key);
      of[s] = leaf.value;
    }
  const bool several = std::any_of(sides.begin(), sides.end(), [](const Side& s) { return s.runs.size() > 1; });
  const auto text = [](const Value* v) { return v == nullptr ? std::string("-") : comparable(*v); };
  std::vector<ConfigDifference> out;
  for (const std::string& key : order) {
    const auto& of = values[key];
    const bool alike = std::all_of(of.begin(), of.end(), [&](const Value* v) { return text(v) == text(of[0]); });
    const bool tells = key == "seed" ? !several : is_of_recipe(key);
    if (alike || !tells) continue;
    ConfigDifference d{key, {}, is_named(key, vary)};
    for (const Value* v : of)
      d.sides.push_back(v == nullptr ? ConfigDifference::Entry{"-", ""}
                                     : ConfigDifference::Entry{v->str(), origin(*v)});
    out.push_back(std::move(d));
  }
  return out;
}

}  // namespace nephron::host
