#include <host/feed/listing.hpp>

#include <set>

#include <host/feed/component.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

Listing::Listing(const Experiment& experiment, const Registry& registry)
    : experiment_(experiment), registry_(registry) {
  if (experiment.classes.empty() || experiment.classes.size() > 8)
    throw Error("the experiment has " + std::to_string(experiment.classes.size()) + " classes; expected 1 to 8");
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

std::string Listing::group(const Entry& entry) const {
  return !entry.info.group.empty() ? entry.info.group : dataset_name(entry.dataset);
}

Blame Listing::blame(const Entry& entry, const std::string& doing) const {
  return blame_of(registry_, Dataset::kind, experiment_.datasets[entry.dataset].component,
                  doing + " slide \"" + printable_name(entry.info.id) + "\"");
}

void Listing::list(std::size_t i) {
  const DatasetConfig& config = experiment_.datasets[i];
  const auto blame = [&](const char* doing) { return blame_of(registry_, Dataset::kind, config.component, doing); };
  datasets_.push_back(make_with_context<Dataset>(registry_, config.component, "dataset[" + std::to_string(i) + "]",
                                                 static_cast<std::uint64_t>(experiment_.seed)));
  auto found = guarded(blame("listing slides"), [&] { return datasets_[i]->slides(experiment_.classes); });
  targets_.push_back(guarded(blame("telling targets"), [&] { return datasets_[i]->targets(experiment_.classes); }));
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

}  // namespace nephron::host
