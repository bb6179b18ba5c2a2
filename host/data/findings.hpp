#pragma once

#include <memory>
#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/data/listing.hpp>
#include <host/data/prepared.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// What a person should know of the data, a sentence each.
struct Findings {
  std::vector<std::string> findings;  ///< wrong in all likelihood
  std::vector<std::string> notes;     ///< may be meant
};

/// What the datasets say of their files (DatasetCheck).
Findings file_findings(const Experiment& experiment, const Registry& registry,
                       const std::vector<std::shared_ptr<Dataset>>& datasets);

/// What the prepared labels show: slides without annotation where their dataset does not tell of them, annotations
/// without a labelled pixel, classes that occur nowhere.
Findings label_findings(const Experiment& experiment, const PreparedData& data);

/// Throws Error that says where annotations were looked for when no slide of the listing has one.
void require_annotated(const Listing& listing, const Registry& registry);

}  // namespace nephron::host
