#include <host/data/listing.hpp>

#include <algorithm>
#include <set>

#include <nephron/fold_rules.hpp>
#include <nephron/label_pixels.hpp>

#include <host/config/load.hpp>
#include <host/slides/make_component.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

Listing::Listing(const Experiment& experiment, const Registry& registry)
    : experiment_(experiment), registry_(registry) {
  if (experiment.classes.empty() || experiment.classes.size() > most_classes)
    throw Error("the experiment has " + std::to_string(experiment.classes.size()) + " classes; expected 1 to " +
                std::to_string(most_classes));
  if (experiment.datasets.empty()) throw Error("the experiment names no dataset", "add a [[dataset]] section");
  for (std::size_t i = 0; i < experiment.datasets.size(); ++i) list(i);
}

std::string Listing::dataset_name(std::size_t dataset) const {
  const DatasetConfig& config = experiment_.datasets.at(dataset);
  return config.name.empty() ? config.component.type : config.name;
}

const ComponentInfo& Listing::component(std::size_t dataset) const {
  return registry_.find(Dataset::kind, experiment_.datasets.at(dataset).component.type);
}

bool Listing::can_be_held_out(const Entry& entry) const {
  const auto& dataset = datasets_[entry.dataset];
  if (!experiment_.datasets[entry.dataset].hold_out || dynamic_cast<const FoldRules*>(dataset.get()) != nullptr)
    return false;
  try {
    return guarded(origin(entry, "asking for the annotation of"), [&] { return dataset->annotated(entry.info); });
  } catch (const PluginError&) {
    return true;
  }
}

Reduction Listing::reduction(const Entry& entry) const {
  const DataConfig& data = experiment_.data;
  if (data.mpp <= 0 || entry.info.mpp > 0) return own_reduction(data, entry.info, "");
  const auto& fields = registry_.schema(Dataset::kind, experiment_.datasets[entry.dataset].component.type).fields();
  const bool tells = std::any_of(fields.begin(), fields.end(), [](const FieldInfo& f) { return f.name == "mpp"; });
  return own_reduction(data, entry.info,
                       tells
                           ? "mpp = ... in the [[dataset]] \"" + dataset_name(entry.dataset) +
                                 "\" says how many um a pixel of its slides is wide"
                           : "its dataset has no key that says it: reduce slides by data.factor, in place of data.mpp");
}

std::string Listing::group(const Entry& entry) const {
  return !entry.info.group.empty() ? entry.info.group : dataset_name(entry.dataset);
}

Origin Listing::origin(const Entry& entry, const std::string& doing) const {
  return origin_of(registry_, Dataset::kind, experiment_.datasets[entry.dataset].component,
                   doing + " slide \"" + printable_name(entry.info.id) + "\"");
}

void Listing::list(std::size_t i) {
  const DatasetConfig& config = experiment_.datasets[i];
  const auto origin = [&](const char* doing) { return origin_of(registry_, Dataset::kind, config.component, doing); };
  datasets_.push_back(make_component<Dataset>(registry_, config.component, "dataset[" + std::to_string(i) + "]",
                                              static_cast<std::uint64_t>(experiment_.seed)));
  auto found = guarded(origin("listing slides"), [&] { return datasets_[i]->slides(experiment_.classes); });
  targets_.push_back(guarded(origin("telling targets"), [&] { return datasets_[i]->targets(experiment_.classes); }));
  if (targets_[i].size() != experiment_.classes.size())
    throw Error("dataset \"" + config.component.type + "\" gives " + std::to_string(targets_[i].size()) +
                " target rules; expected one for each of the " + std::to_string(experiment_.classes.size()) +
                " classes");
  if (found.empty()) log().warning("dataset \"" + config.component.type + "\" lists no slides");
  std::set<std::string> ids;
  for (SlideInfo& info : found) {
    if (ids.insert(info.id).second) slides_.push_back({i, std::move(info)});
    else
      problems_.push_back("dataset \"" + config.component.type + "\" lists slide \"" + printable_name(info.id) +
                          "\" twice; ids are unique, so the second" +
                          (info.source.empty() ? "" : " (" + info.source.string() + ")") + " is left out");
  }
}

void require_of_one_slide(const Listing& listing, const Listing::Entry& entry, const std::exception& error) {
  const auto* named = dynamic_cast<const PluginError*>(&error);
  if (named == nullptr || !named->of_parameters()) return;
  const Source& source = listing.experiment().datasets[entry.dataset].component.source;
  std::string text = named->what();
  if (const std::string place = source.str() + ": "; text.starts_with(place)) text.erase(0, place.size());
  throw ConfigError({{source, text, named->hint()}});
}

}  // namespace nephron::host
