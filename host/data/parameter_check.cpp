#include <host/data/parameter_check.hpp>

#include <algorithm>

#include <nephron/augmentation.hpp>
#include <nephron/dataset.hpp>
#include <nephron/parameter_check.hpp>
#include <nephron/sampler.hpp>

#include <host/config/checks.hpp>
#include <host/slides/make_component.hpp>

namespace nephron::host {

namespace {

/// Gives each fault the place of its key.
class Collector final : public ParameterFaults {
 public:
  Collector(const ComponentSpec& spec, Diagnostics& out) : spec_(spec), out_(out) {}
  void add(std::string_view key, const std::string& message, const std::string& hint) override {
    out_.push_back({place_of(key), message, hint});
  }

 private:
  /// Of the longest part of "a.b.c" that is written.
  Source place_of(std::string_view key) const {
    const Value* at = &spec_.params;
    Source place = spec_.source;
    while (!key.empty()) {
      const std::size_t dot = std::min(key.find('.'), key.size());
      const Value* whole = at->find(key);  // a key may hold dots itself
      at = whole != nullptr ? whole : at->find(key.substr(0, dot));
      if (at == nullptr) return place;
      place = at->source;
      if (whole != nullptr) break;
      key.remove_prefix(std::min(dot + 1, key.size()));
    }
    return place;
  }
  const ComponentSpec& spec_;
  Diagnostics& out_;
};

template <class Base>
void check(const ComponentSpec& spec, const std::string& place, const Experiment& experiment, const Registry& registry,
           Diagnostics& faults) {
  const std::vector<std::string> names = registry.names(Base::kind);
  if (std::find(names.begin(), names.end(), spec.type) == names.end() || holds_fault(spec.params, faults)) return;
  Diagnostics found;
  try {
    const auto component = make_component<Base>(registry, spec, place, static_cast<std::uint64_t>(experiment.seed));
    const auto* self = dynamic_cast<const ParameterCheck*>(component.get());
    if (self == nullptr) return;
    Collector collector(spec, found);
    guarded(origin_of(registry, Base::kind, spec, "checking its parameters"),
            [&] { self->check_parameters(experiment.classes, collector); });
  } catch (const Error& e) {
    found.push_back({spec.source, e.what(), e.hint()});
  }
  faults.insert(faults.end(), found.begin(), found.end());
}

/// Those of samples, however deep they lie: making one opens the files that it names, such as stain statistics.
void check_augmentations(const std::vector<AugmentationConfig>& links, const std::string& path,
                         const Experiment& experiment, const Registry& registry, Diagnostics& faults) {
  for (std::size_t i = 0; i < links.size(); ++i) {
    const std::string place = path + "[" + std::to_string(i) + "]";
    check<Augmentation>(links[i].component, place, experiment, registry, faults);
    check_augmentations(links[i].of, place + ".of", experiment, registry, faults);
  }
}

}  // namespace

void check_parameters(const Experiment& experiment, const Registry& registry, Diagnostics& faults) {
  if (experiment.classes.empty()) return;  // that is a fault of its own
  for (std::size_t i = 0; i < experiment.datasets.size(); ++i)
    check<Dataset>(experiment.datasets[i].component, "dataset[" + std::to_string(i) + "]", experiment, registry,
                   faults);
  check<Sampler>(experiment.sampler, "sampler", experiment, registry, faults);
  check_augmentations(experiment.augmentations, "augmentation", experiment, registry, faults);
  check<Sampler>(experiment.validation_sampler, "validation_sampler", experiment, registry, faults);
}

}  // namespace nephron::host
