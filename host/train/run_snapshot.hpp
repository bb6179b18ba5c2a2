#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/data/prepared.hpp>
#include <host/plugins/registry.hpp>
#include <host/replay/snapshot.hpp>
#include <host/runs/environment.hpp>
#include <host/runs/run.hpp>

namespace nephron::host {

/// What a run is made with besides the program.
struct RunSnapshotParts {
  const Experiment& experiment;
  const Registry& registry;
  std::string resolved;  ///< experiment.resolved.toml
  bool own_weights;      ///< it begins with those of the experiment, if that names any; else with another run's
};

/// Keeps program, plugins and experiment in the store of the run's root, and writes RUN/snapshot.json. Warns where that
/// cannot be: a run is not lost for it.
void keep_snapshot(const RunFolder& run, const RunSnapshotParts& parts);

/// The files of weights that an experiment begins with, by key and digest.
std::vector<SnapshotWeights> weights_of(const Experiment& experiment);

/// What a process and its data have that a run did not begin with, a sentence each: program, plugins, LibTorch,
/// weights.
std::vector<std::string> differences_from_snapshot(const Snapshot& snapshot, const Experiment& experiment,
                                                   const Registry& registry);

/// Slides of a fold that have other pixels or labels than `then`, a fold's slides.json, or that only one side has; a
/// sentence each. Nothing where that file is not there.
std::vector<std::string> differences_of_slides(const std::filesystem::path& then, const Experiment& experiment,
                                               const PreparedData& data, int fold);

}  // namespace nephron::host
