#pragma once

#include <optional>
#include <vector>

namespace nephron::host {

/// A trial as asynchronous successive halving sees it (ASHA: Li et al. 2020, arXiv:1810.05934).
struct HalvingTrial {
  int rung = -1;                             ///< that was last begun; -1: none
  bool failed = false;                       ///< in that rung
  std::vector<bool> complete;                ///< by rung
  std::vector<std::optional<double>> score;  ///< by rung; nothing where it has none, such as NaN
  bool at_rest() const { return rung >= 0 && (failed || complete[static_cast<std::size_t>(rung)]); }
};

/// A trial that is to begin a rung.
struct Promotion {
  int trial = 0, rung = 0;
  bool operator==(const Promotion&) const = default;
};

/// What a process that is free does next: the best of a rung goes on where it is among the best 1/eta of those that
/// have come so far, from the highest rung down; else a new trial begins. Nothing where others have to come first, or
/// all is done. A rung that no other trial can reach any more lets at least one go on. A function of its arguments
/// alone, the same in whatever order results came.
std::optional<Promotion> next_promotion(const std::vector<HalvingTrial>& trials, int eta, int rungs);

/// Trials from the best to the worst: those that came further first, then by their score there, then by number. Without
/// those that failed, and
/// those that completed no rung with a score.
std::vector<int> ranking(const std::vector<HalvingTrial>& trials);

/// The highest rung that a trial completed with a score; -1: none.
int reached(const HalvingTrial& trial);

}  // namespace nephron::host
