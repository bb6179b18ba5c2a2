#include <host/predict/chosen_dataset.hpp>

#include <algorithm>
#include <vector>

#include <nephron/dataset_check.hpp>

#include <host/util/usage_error.hpp>

namespace nephron::host {

const std::string& name_of(const DatasetConfig& dataset) {
  return dataset.name.empty() ? dataset.component.type : dataset.name;
}

Experiment with_dataset(Experiment experiment, const std::string& wanted) {
  std::vector<DatasetConfig>& datasets = experiment.datasets;
  std::vector<std::string> names;
  for (const DatasetConfig& d : datasets) names.push_back(name_of(d));
  std::erase_if(datasets, [&](const DatasetConfig& d) { return name_of(d) != wanted && d.component.type != wanted; });
  if (!datasets.empty()) return experiment;
  const std::string near = nearest(wanted, names);
  throw UsageError("the experiment has no dataset \"" + wanted + "\": it has " + names_of(names, names.size()),
                   near.empty() ? "" : "Did you mean \"" + near + "\"?");
}

}  // namespace nephron::host
