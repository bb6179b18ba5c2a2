#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/sweep/sweep_plan.hpp>

namespace nephron::host {

/// What a person asked for who begins a sweep.
struct SweepRequest {
  std::filesystem::path file;
  std::vector<std::string> overrides;  ///< --set
  std::filesystem::path runs = "runs";
  std::string name;  ///< of the sweep's folder; empty: made of the experiment's
};

/// The experiment of a trial, whole, with the places where its values were written: FOLDER/0007.toml.
std::filesystem::path trial_file(const std::filesystem::path& folder, int trial);

/// Reads the file, draws the trials, checks each as an experiment of its own, and writes them into `folder`. What only
/// the computing program can check, it checks once for the first trial and for each value that is no number. Throws
/// ConfigError and UsageError with every fault; the plan has no time yet.
SweepPlan prepare_sweep(const SweepRequest& request, const std::filesystem::path& folder);

}  // namespace nephron::host
