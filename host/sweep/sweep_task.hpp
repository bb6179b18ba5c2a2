#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <host/sweep/sweep_state.hpp>

namespace nephron::host {

/// A piece of work that a process may take.
struct SweepTask {
  SweepMember member;
  int rung = 0;
  bool validates = false;  ///< measures what was trained
  bool operator==(const SweepTask& other) const {
    return member.run == other.member.run && rung == other.rung && validates == other.validates;
  }
};

/// What nobody works on and somebody may, the most wanted first: what was begun, what is promoted or begins, and when
/// all that chooses is done, what confirms.
std::vector<SweepTask> open_tasks(const SweepFolder& sweep, const SweepState& state, SweepReader& reader);

/// Whether the task is still to be done, by what the files of its run say now.
bool is_open(const SweepTask& task, const SweepPlan& plan, const MemberState& member);

/// The trials that are confirmed, the best first; empty before all that chooses is done.
std::vector<int> confirmed_trials(const SweepPlan& plan, const SweepState& state);

/// No task will open any more but those that are given up by whoever does them: none is promoted, none confirms.
bool all_begun(const SweepFolder& sweep, const SweepState& state);

/// Nothing is left to do, here or elsewhere.
bool all_done(const SweepFolder& sweep, const SweepState& state, SweepReader& reader);

/// Epochs of training, of all folds and seeds.
struct SweepAmount {
  std::int64_t done = 0;
  std::int64_t all = 0;  ///< by halving: about
};
SweepAmount amount_of(const SweepFolder& sweep, const SweepState& state, SweepReader& reader);

}  // namespace nephron::host
