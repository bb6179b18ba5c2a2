#pragma once

#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/feed/prepared.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// What a person should know of the data, a sentence each.
struct Findings {
  std::vector<std::string> findings;  ///< wrong in all likelihood
  std::vector<std::string> notes;     ///< may be meant
};

/// What the datasets say of their files (DatasetCheck); in its absence, which slides are not annotated.
Findings file_findings(const Experiment& experiment, const Registry& registry, const PreparedData& data);

/// What the labels show: annotations without a labelled pixel, classes that occur nowhere.
Findings label_findings(const Experiment& experiment, const PreparedData& data);

/// Throws Error that says where annotations were looked for when no slide has one.
void require_annotated(const Experiment& experiment, const Registry& registry, const PreparedData& data);

}  // namespace nephron::host
