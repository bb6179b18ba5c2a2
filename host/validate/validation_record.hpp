#pragma once

#include <filesystem>
#include <string>

#include <host/config/experiment.hpp>
#include <host/runs/run.hpp>
#include <host/validate/validate.hpp>

namespace nephron::host {

/// Everything that the values of a validation depend on besides pixels, as JSON: equal text means equal values.
std::string validation_settings(const ValidateRequest& request, const RunFolder& run, const Experiment& experiment,
                                const ValidateOutcome& asked, const MetricSet& metrics);

/// Of a folder that a validation goes on in. Throws Error that says in what its own settings (validate.json) differ.
void require_equal_settings(const std::filesystem::path& folder, const std::string& settings);

}  // namespace nephron::host
