#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nephron/schema.hpp>

namespace nephron::host {

/// `halving`: few epochs for all trials, more for the best of them.
struct HalvingConfig {
  std::int64_t eta = 3;           ///< one of so many goes on
  std::int64_t first_epochs = 1;  ///< of every trial
  static void describe(Schema<HalvingConfig>& s);
};

/// `confirm`: the best once more, on what chose nothing.
struct ConfirmConfig {
  std::int64_t top = 3;
  Value folds = Value("all");  ///< "all" that chose nothing, or a list of them
  std::vector<std::int64_t> seeds;
  static void describe(Schema<ConfirmConfig>& s);
};

/// The section [sweep] of a file that is an experiment otherwise.
struct SweepConfig {
  std::string method;  ///< "grid", "random", "list", "halving"
  std::optional<std::int64_t> trials;
  std::optional<std::int64_t> seed;  ///< of what is drawn; none: the experiment's
  std::vector<std::int64_t> seeds;   ///< that each trial is trained with; empty: the experiment's
  std::vector<int> folds{0};
  std::string score = "best";
  std::optional<HalvingConfig> halving;
  std::optional<ConfirmConfig> confirm;
  Value vary, list;
  static void describe(Schema<SweepConfig>& s);
};

/// Most trials of a sweep.
inline constexpr std::int64_t most_trials = 10000;

}  // namespace nephron::host
