#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <host/compare/comparison.hpp>
#include <host/sweep/sweep_task.hpp>

namespace nephron::host {

/// How much the best of many noisy figures is too good, by the spread between the runs of one trial.
struct Flattery {
  std::size_t trials = 0;  ///< with a score at the winner's rung
  double noise = 0;        ///< deviation of a trial's score, by its seeds
  double too_good = 0;     ///< the winner's score less what is expected of it, shrunk towards the mean of all
};

/// The winner's expected score, by an empirical Bayes estimate of normal trials and normal noise (James and Stein
/// 1961): each trial's score is pulled towards their mean by the share of noise in the scores' variance. `scores`: of
/// trials, each of its runs. Nothing for fewer than three trials of two runs each.
std::optional<Flattery> flattery_of(const std::vector<std::vector<double>>& scores);

/// All that is told of a sweep.
struct SweepResult {
  SweepState state;
  std::vector<int> ranking;
  std::vector<int> confirmed;                        ///< trials, the best of the search first
  std::vector<std::vector<MemberState>> confirming;  ///< of each of them
  std::vector<std::string> confirm_failures;         ///< of each of them, or ""
  std::optional<Flattery> flattery;
  std::optional<Comparison> comparison;  ///< of those that confirm, once all are measured
  std::string comparison_failure;
  bool searched = false, done = false;
};

/// Reads it. `compares`: that takes some seconds.
SweepResult result_of(const SweepFolder& sweep, bool compares);

/// "running", "done", "waiting", "paused" (of halving: others go on), "failed", "confirmed".
std::string state_of(const SweepResult& result, const SweepPlan& plan, int trial);

/// In words, for the terminal and the page: whether the winner's figure may be believed.
std::string winner_words(const SweepFolder& sweep, const SweepResult& result);

std::string status_text(const SweepFolder& sweep, const SweepResult& result);
std::string status_json(const SweepFolder& sweep, const SweepResult& result);
/// A page that needs nothing but itself.
std::string sweep_page(const SweepFolder& sweep, const SweepResult& result);

}  // namespace nephron::host
