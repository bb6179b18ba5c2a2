#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// What a run ran with, besides its experiment.
struct EnvironmentFacts {
  std::string torch;   ///< LibTorch build
  std::string device;  ///< "cpu", "cuda:0"
  std::vector<int> folds;
};

/// JSON text: commit, versions, plugin files that the experiment uses with their hashes, host, user, device, seed,
/// folds, command line, time.
std::string environment_json(const Experiment& experiment, const Registry& registry, const EnvironmentFacts& facts);

/// The folds that a run was started for, of its environment.json. Throws Error.
std::vector<int> folds_of_environment(const std::filesystem::path& file);

/// Commit of the git checkout that holds `path`; "" when there is none. Reads files alone.
std::string commit_of(const std::filesystem::path& path);

}  // namespace nephron::host
