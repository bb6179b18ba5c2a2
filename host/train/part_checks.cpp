#include <host/train/part_checks.hpp>

#include <string>

#include <nephron/error.hpp>
#include <nephron/nn/first_weights.hpp>

#include <host/model/model.hpp>
#include <host/train/freezing.hpp>
#include <host/train/network.hpp>
#include <host/train/parameter_groups.hpp>

namespace nephron::host {

namespace {

/// Where an entry of a list below [train] says what it matches; or [train], or the file.
Source place_of(const Value& resolved, const char* list, std::size_t i) {
  const Value* const train = resolved.find("train");
  if (train == nullptr) return resolved.source;
  const Value* at = train->find(list);
  if (at == nullptr) return train->source;
  if (!at->is(Value::Type::array) || i >= at->array().size()) return at->source;
  const Value* const match = at->array()[i].find("match");
  return match != nullptr ? match->source : at->array()[i].source;
}

class PartChecks {
 public:
  PartChecks(const Experiment& e, Diagnostics& faults) : e_(e), faults_(faults) {}

  /// True when nothing is wrong.
  template <class Work>
  bool good(const Source& place, const Work& work) {
    try {
      work();
      return true;
    } catch (const Error& e) {
      faults_.push_back({place, e.what(), e.hint()});
      return false;
    }
  }

  void patterns(const NamedTensors& parameters) {
    const TrainConfig& train = e_.train;
    bool groups = true, freeze = true;
    for (std::size_t i = 0; i < train.groups.size(); ++i)
      groups &= good(place_of(e_.resolved, "group", i), [&] { part_of(parameters, train.groups[i].match); });
    for (std::size_t i = 0; i < train.freeze.size(); ++i)
      freeze &= good(place_of(e_.resolved, "freeze", i), [&] { part_of(parameters, train.freeze[i].match); });
    const char* const concerned = train.optimizer.layer_decay < 1 ? "optimizer" : "group";
    if (groups) good(place_of(e_.resolved, concerned, 0), [&] { parameter_groups(train, parameters); });
    if (freeze) good(place_of(e_.resolved, "freeze", 0), [&] { Freezing(train, parameters); });
  }

 private:
  const Experiment& e_;
  Diagnostics& faults_;
};

}  // namespace

void check_parts(const Experiment& e, const Registry& registry, Diagnostics& faults) {
  if (!faults.empty() || (e.train.groups.empty() && e.train.freeze.empty() && e.train.optimizer.layer_decay == 1))
    return;
  const Value* const model = e.resolved.find("model");
  PartChecks checks(e, faults);
  std::shared_ptr<SegmentationModel> network;
  const auto build = [&] {
    const nn::WithoutFirstWeights only_names;
    network = build_model(e.model, static_cast<std::int64_t>(e.classes.size()), registry,
                          static_cast<std::uint64_t>(e.seed), /*load=*/false);
  };
  if (checks.good(model != nullptr ? model->source : e.resolved.source, build))
    checks.patterns(named_parameters(*network));
}

}  // namespace nephron::host
