#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// Weights of another run that a fold began with.
struct FoldOrigin {
  int fold = 0;
  std::filesystem::path run;
  int from_fold = 0;
  std::string checkpoint;  ///< "best" or "last"
  std::int64_t step = 0;
  std::filesystem::path weights;
  std::string sha256;  ///< of the weights
};

/// A plugin file that an experiment uses.
struct UsedPlugin {
  std::string plugin;
  std::filesystem::path file;
  std::string sha256;
};
std::vector<UsedPlugin> used_plugins(const Experiment& experiment, const Registry& registry);

/// One process that trains a run.
struct SessionFacts {
  std::string torch;   ///< LibTorch build
  std::string device;  ///< "cpu", "cuda:0"
  std::vector<std::string> overrides;
  std::vector<std::filesystem::path> plugins;  ///< of the command line
  bool experiment_edited = false;              ///< the run's own file is not as it was written
  int threads = 0;                             ///< of LibTorch; 0: not known
  std::filesystem::path rerun_of = {};         ///< the run that this one starts again; empty: none
  bool none_yet = false;                       ///< the run is made, and no process trains it
};

/// A plugin file that is another one than when the run began.
struct PluginChange {
  std::string plugin;
  std::filesystem::path file;
  std::string was, now;  ///< SHA-256; `was` is empty for a plugin that the run did not use
};

/// JSON text of a run that begins: commits, versions, plugin files that the experiment uses with their hashes, host,
/// user, device, seed, folds, command line, time, and the first of its sessions.
std::string environment_json(const Experiment& experiment, const Registry& registry, const SessionFacts& session,
                             const std::vector<int>& folds, const std::vector<FoldOrigin>& from);

// What follows reads the environment.json of a run and throws Error that names the file and the place.

/// Adds a session, atomically.
void add_session(const std::filesystem::path& file, const SessionFacts& session,
                 const std::vector<PluginChange>& changes);
/// Plugins that the experiment uses, compared with the hashes from when the run began.
std::vector<PluginChange> changed_plugins(const std::filesystem::path& file, const Experiment& experiment,
                                          const Registry& registry);
/// The folds that the run was started for.
std::vector<int> folds_of_environment(const std::filesystem::path& file);
/// What `train --from` took; empty for a run that began with weights of its own.
std::vector<FoldOrigin> origins_of_environment(const std::filesystem::path& file);

/// Commit of the git checkout that holds `path`; "" when there is none. Reads files alone.
std::string commit_of(const std::filesystem::path& path);

}  // namespace nephron::host
