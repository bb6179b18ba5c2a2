#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <host/compare/finding.hpp>
#include <host/compare/measured_run.hpp>

namespace nephron::host {

/// All that makes results, but the seed; and the seed.
struct Recipe {
  std::map<std::string, std::string> keys;  ///< of the experiment, with what each says
  std::string seed;
  bool operator==(const Recipe&) const = default;
};
Recipe recipe_of(const MeasuredRun& run);

/// A run each, the baseline first.
std::vector<Side> sides_of_runs(const std::vector<MeasuredRun>& runs);

/// Runs that differ in their seed alone are one side. That of runs[0] comes first. Throws Error for two runs of one
/// recipe with one seed: they are no two seeds.
std::vector<Side> sides_by_seed(const std::vector<MeasuredRun>& runs);

/// A key whose value is not the same on all sides, with what each says and where that was written ("default" too).
struct ConfigDifference {
  struct Entry {
    std::string value;  ///< as TOML; "-" where the key is not there
    std::string place;  ///< "unet.toml:3:6", "--set ...", "default"
  };
  std::string key;
  std::vector<Entry> sides;
  bool named = false;  ///< --vary names it
};

/// Keys in which the sides' experiments differ. Left out are those without effect on results, the name, and the seed
/// where it is what a side has several of.
std::vector<ConfigDifference> config_differences(const std::vector<MeasuredRun>& runs, const std::vector<Side>& sides,
                                                 const std::vector<std::string>& vary);

/// Whether --vary names a key: itself, or a table that holds it.
bool is_named(const std::string& key, const std::vector<std::string>& vary);

}  // namespace nephron::host
