#pragma once

#include <string>
#include <vector>

#include <host/compare/measured_run.hpp>

namespace nephron::host {

/// Why two runs' figures are not of the same thing.
struct Objection {
  std::string key;  ///< what --vary calls it: "predict.tta", "slides"
  std::string text;
};

/// Every reason why the values `metric` of these runs may not be compared, each run with the first one, and of each
/// run why it should not be believed (slides that it was trained on, a validation that was cut short).
std::vector<Objection> objections(const std::vector<MeasuredRun>& runs, const std::string& metric);

/// A sentence for runs that were trained on other slides of donors that they are measured on.
std::vector<std::string> shared_donors(const std::vector<MeasuredRun>& runs);

/// Keys that an objection may have.
const std::vector<std::string>& objection_keys();

/// Slides that every run was measured on, in order.
std::vector<SlideKey> common_slides(const std::vector<MeasuredRun>& runs);

}  // namespace nephron::host
