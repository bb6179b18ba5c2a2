#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <host/config/experiment.hpp>
#include <host/validate/validate.hpp>

namespace nephron::host {

/// Everything that the values of a validation depend on besides pixels, as JSON: equal text means equal values.
/// `weights`: the file of each fold.
std::string validation_settings(const ValidateRequest& request, const Experiment& experiment,
                                const ValidateOutcome& asked, const std::map<int, std::filesystem::path>& weights,
                                const MetricSet& metrics);

/// Of a folder that a validation goes on in. Throws Error that says in what its own settings (validate.json) differ.
void require_equal_settings(const std::filesystem::path& folder, const std::string& settings);

}  // namespace nephron::host
