#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <host/sweep/axis.hpp>
#include <host/sweep/sweep_config.hpp>

namespace nephron::host {

/// What one trial changes of the experiment.
struct Trial {
  struct Setting {
    KeyPath key;
    Value value;
  };
  int number = 0;  ///< from 0
  std::vector<Setting> settings;
  /// As a table to be laid upon the experiment.
  Value table() const;
};

/// All trials of a sweep; of "halving" too, however few of them are trained to their end. `seed`: of what is drawn.
/// Adds faults.
std::vector<Trial> make_trials(const SweepConfig& config, const Value& section, std::uint64_t seed,
                               Diagnostics& faults);

/// Pairs of trials that are equal, as "3 and 7".
std::vector<std::string> equal_trials(const std::vector<Trial>& trials);

}  // namespace nephron::host
