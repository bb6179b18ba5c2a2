#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// load_experiment() for the experiment that a run keeps (RunFolder::experiment()), for whoever resumes, predicts,
/// measures or shows the run: the weights that its training began with need not be there any more, since its
/// checkpoints hold what came of them. Who begins a fold asks require_weights(). Throws ConfigError with every fault.
Experiment load_run_experiment(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                               PluginSearch search, std::unique_ptr<Registry>& registry);

}  // namespace nephron::host
