#include <host/config/changes.hpp>

#include <algorithm>
#include <map>

#include <host/config/load.hpp>
#include <host/config/show.hpp>

namespace nephron::host {

const std::vector<std::string>& keys_without_effect_on_results() {
  static const std::vector<std::string> keys{
      "data.store",    // where prepared slides lie
      "data.factors",  // what is prepared for others
      "data.workers",  // samples are a function of (seed, epoch, number), whoever makes them
      "data.prefetch",
      "data.when_lost",  // what follows a disk's failure
      "train.threads",   // the order of sums, as the device
      "train.checkpoint_minutes",
      "train.cuda_graph",     // the same kernels, launched otherwise
      "model.checkpointing",  // the same bits
  };
  return keys;
}

namespace {

/// "data.factors" for the key of a leaf.
bool harmless(std::string_view key) {
  const auto& keys = keys_without_effect_on_results();
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

bool is_of_recipe(std::string_view key) {
  return key != "seed" && key != "name" && key != "description" && !harmless(key);
}

void require_same_results(const Experiment& before, const Experiment& now, const Components& components,
                          const std::string& hint) {
  const Value was = with_defaults(before.resolved, components), is = with_defaults(now.resolved, components);
  std::map<std::string, const Value*> old;
  for (const Leaf& leaf : leaves(was)) old[leaf.key] = leaf.value;
  Diagnostics faults;
  const auto fault = [&](const std::string& key, const Source& source, const std::string& from, const std::string& to) {
    if (!harmless(key))
      faults.push_back({source,
                        "\"" + key + "\" of a run that has begun is " + from + " and cannot become " + to +
                            ": a run is one experiment",
                        {}});
  };
  for (const Leaf& leaf : leaves(is)) {
    const auto entry = old.find(leaf.key);
    const Value* const from = entry == old.end() ? nullptr : entry->second;
    if (from == nullptr || !(*from == *leaf.value))
      fault(leaf.key, leaf.value->source, from == nullptr ? "not there" : from->str(), leaf.value->str());
    if (from != nullptr) old.erase(entry);
  }
  for (const auto& [key, value] : old) fault(key, {}, value->str(), "nothing");
  if (faults.empty()) return;
  faults.back().hint = hint;
  throw ConfigError(std::move(faults));
}

}  // namespace nephron::host
