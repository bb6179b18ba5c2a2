#include <host/sweep/trial.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace nephron::host {

namespace {

/// Keys that trials cannot differ in, and why.
struct Forbidden {
  std::vector<std::string> key;
  const char* why;
};
const std::vector<Forbidden>& forbidden() {
  static const std::vector<Forbidden> all{
      {{"name"}, "all runs of a sweep have the name of its file"},
      {{"description"}, "it changes nothing"},
      {{"seed"}, "seeds = [1, 2, 3] in [sweep] trains every trial with each"},
      {{"plugins"}, "name them for the whole experiment"},
      {{"classes"}, "figures of other classes cannot be compared"},
      {{"extends"}, "a trial changes keys of one experiment"},
      {{"sweep"}, "a trial changes keys of the experiment"},
      {{"data", "folds"}, "figures of other slides cannot be compared"},
  };
  return all;
}

void check_key(const KeyPath& key, Diagnostics& faults) {
  for (const Forbidden& f : forbidden()) {
    if (f.key.size() > key.parts.size()) continue;
    const bool same = std::equal(f.key.begin(), f.key.end(), key.parts.begin(),
                                 [](const std::string& a, const KeyPath::Part& b) { return a == b.name; });
    if (same) faults.push_back({key.parts[f.key.size() - 1].source, "\"" + key.text() + "\" cannot be varied", f.why});
  }
}

std::string grouped(std::uint64_t n) {
  std::string out = std::to_string(n);
  for (int at = static_cast<int>(out.size()) - 3; at > 0; at -= 3) out.insert(static_cast<std::size_t>(at), ",");
  return out;
}

std::vector<Trial> grid(const std::vector<Axis>& axes, const Value& vary, Diagnostics& faults) {
  constexpr std::uint64_t beyond = std::uint64_t{1} << 40;
  std::uint64_t count = 1;
  for (const Axis& axis : axes) {
    const std::int64_t size = size_of(axis);
    if (size == 0) {
      faults.push_back({axis.source, "\"" + axis.key.text() + "\" has no end of values for a grid",
                        "say how many: count = 5; or draw: method = \"random\""});
      return {};
    }
    count = std::min(beyond, count * static_cast<std::uint64_t>(size));
  }
  if (count > static_cast<std::uint64_t>(most_trials)) {
    faults.push_back({vary.source,
                      std::string("this grid has ") + (count == beyond ? "more than " : "") + grouped(count) +
                          " trials; " + grouped(static_cast<std::uint64_t>(most_trials)) + " are the most",
                      "leave out values, or draw some: method = \"random\", trials = 50"});
    return {};
  }
  std::vector<Trial> out;
  for (std::uint64_t number = 0; number < count; ++number) {
    Trial trial{static_cast<int>(number), {}};
    std::uint64_t left = number;  // the last axis changes fastest
    for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
      const auto size = static_cast<std::uint64_t>(size_of(*axis));
      trial.settings.insert(trial.settings.begin(), {axis->key, point(*axis, static_cast<std::int64_t>(left % size))});
      left /= size;
    }
    out.push_back(std::move(trial));
  }
  return out;
}

void flatten(const Value& table, const KeyPath& above, std::vector<Trial::Setting>& out) {
  for (const Value::Member& m : table.table()) {
    KeyPath key = above;
    key.parts.push_back({m.key, m.source});
    const bool deeper = m.value.is(Value::Type::table) && !m.value.table().empty() && m.value.find("type") == nullptr;
    if (deeper) flatten(m.value, key, out);
    else out.push_back({std::move(key), m.value});
  }
}

std::vector<Trial> listed(const Value& list, Diagnostics& faults) {
  const auto fault = [&](const Value& at, std::string message) {
    faults.push_back(
        {at.source, std::move(message), "write [[sweep.list]] with keys of the experiment below it, once a trial"});
  };
  if (!list.is(Value::Type::array) || list.array().empty())
    return fault(list, "\"list\" has no trials"), std::vector<Trial>{};
  if (list.array().size() > static_cast<std::size_t>(most_trials))
    return fault(list, "\"list\" has more than " + std::to_string(most_trials) + " trials"), std::vector<Trial>{};
  std::vector<Trial> out;
  std::map<std::string, const Value*> known;
  for (const Value& entry : list.array()) {
    if (!entry.is(Value::Type::table)) return fault(entry, "a trial of \"list\" must be a table"), std::vector<Trial>{};
    const auto [first, fresh] = known.emplace(entry.str(), &entry);
    if (!fresh) {
      faults.push_back({entry.source, "this trial is the one of " + first->second->source.str() + " again",
                        "leave one of them out; seeds = [1, 2, 3] trains every trial several times"});
      continue;
    }
    Trial trial{static_cast<int>(out.size()), {}};
    flatten(entry, {}, trial.settings);
    for (const auto& setting : trial.settings) check_key(setting.key, faults);
    out.push_back(std::move(trial));
  }
  return out;
}

void require_no(const Value& section, const char* key, const std::string& method, const char* why,
                Diagnostics& faults) {
  if (const Value* const found = section.find(key))
    faults.push_back(
        {found->source, "\"" + std::string(key) + "\" means nothing with method = \"" + method + "\"", why});
}

std::vector<Trial> drawn(const SweepConfig& config, const std::vector<Axis>& axes, const Value& section,
                         std::uint64_t seed, Diagnostics& faults) {
  if (section.find("trials") == nullptr) {
    faults.push_back({section.source, "\"trials\" is missing: how many are drawn", "such as trials = 27"});
    return {};
  }
  std::vector<Trial> out;
  for (std::int64_t number = 0; number < config.trials.value_or(0); ++number) {
    Trial trial{static_cast<int>(number), {}};
    for (const Axis& axis : axes)
      trial.settings.push_back({axis.key, draw(axis, seed, static_cast<std::uint64_t>(number))});
    out.push_back(std::move(trial));
  }
  return out;
}

}  // namespace

Value Trial::table() const {
  Value out{Value::Table{}};
  for (const Setting& setting : settings) {
    Value* at = &out;
    for (std::size_t i = 0; i < setting.key.parts.size(); ++i) {
      const KeyPath::Part& part = setting.key.parts[i];
      const bool last = i + 1 == setting.key.parts.size();
      if (at->source.line == 0) at->source = part.source;
      Value* below = at->find(part.name);
      if (below == nullptr) below = &at->set(part.name, last ? setting.value : Value(Value::Table{}));
      for (Value::Member& m : at->table())
        if (m.key == part.name) m.source = part.source;
      at = below;
    }
  }
  return out;
}

std::vector<Trial> make_trials(const SweepConfig& config, const Value& section, std::uint64_t seed,
                               Diagnostics& faults) {
  const std::size_t before = faults.size();
  if (config.method != "halving")
    require_no(section, "halving", config.method, "write method = \"halving\", or leave it out", faults);
  if (config.method == "list") {
    require_no(section, "vary", "list", "the trials of a list say all themselves: [[sweep.list]]", faults);
    require_no(section, "trials", "list", "a list has as many trials as it names", faults);
    return listed(config.list.is(Value::Type::null) ? section : config.list, faults);
  }
  require_no(section, "list", config.method, "write method = \"list\", or leave it out", faults);
  const Value* const vary = section.find("vary");
  if (vary == nullptr || (vary->is(Value::Type::table) && vary->table().empty())) {
    faults.push_back({section.source, "[sweep.vary] is missing: the keys that trials differ in",
                      "such as train.optimizer.lr = { log = [1e-4, 1e-2] }"});
    return {};
  }
  const std::vector<Axis> axes = read_axes(*vary, faults);
  for (const Axis& axis : axes) check_key(axis.key, faults);
  if (config.method == "grid") require_no(section, "trials", "grid", "a grid has a trial for each combination", faults);
  if (faults.size() != before) return {};
  return config.method == "grid" ? grid(axes, *vary, faults) : drawn(config, axes, section, seed, faults);
}

std::vector<std::string> equal_trials(const std::vector<Trial>& trials) {
  std::map<std::string, int> known;
  std::vector<std::string> out;
  for (const Trial& trial : trials)
    if (const auto [first, fresh] = known.emplace(trial.table().str(), trial.number); !fresh)
      out.push_back(std::to_string(first->second) + " and " + std::to_string(trial.number));
  return out;
}

}  // namespace nephron::host
