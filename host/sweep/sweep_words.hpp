#pragma once

#include <optional>
#include <string>
#include <vector>

#include <host/sweep/sweep_result.hpp>

namespace nephron::host {

// What the terminal and the page share.

/// "halving of 27 trials, rungs at 4, 12 and 40 epochs, scored by ... ".
std::string sweep_words(const SweepPlan& plan);
/// A score in a table, or "-".
std::string score_cell(std::optional<double> score);
/// A value of a setting as people call it: "resnet34" for { type = "resnet34" }.
std::string value_words(const std::string& toml);
/// The value of a trial's setting, or "" where it has none.
std::string setting_of(const SweepPlan::Trial& trial, const std::string& key);
/// The last parts of a key that tell it from the other axes.
std::string short_key(const std::string& key);

/// A side of the comparison of those that confirm.
struct ConfirmedRow {
  int trial = 0;
  std::string searched, confirmed;  ///< Dice when it was chosen, and on what chose nothing
  std::string difference, interval, p, verdict;
};
std::vector<ConfirmedRow> confirmed_rows(const SweepFolder& sweep, const SweepResult& result);

}  // namespace nephron::host
