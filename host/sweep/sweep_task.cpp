#include <host/sweep/sweep_task.hpp>

#include <algorithm>

namespace nephron::host {

namespace {

void add_open(const SweepFolder& sweep, const SweepState& state, int trial, int rung, std::vector<SweepTask>& out) {
  const TrialState& t = state.trials[static_cast<std::size_t>(trial)];
  const std::vector<SweepMember>& members = sweep.members().of(trial);
  for (std::size_t m = 0; m < members.size(); ++m) {
    const SweepTask task{members[m], rung, false};
    if (!t.members[m].held && is_open(task, sweep.plan(), t.members[m])) out.push_back(task);
  }
}

std::vector<SweepTask> begun(const SweepFolder& sweep, const SweepState& state) {
  std::vector<SweepTask> out;
  for (int rung = static_cast<int>(sweep.plan().rungs.size()) - 1; rung >= 0; --rung)
    for (std::size_t t = 0; t < state.trials.size(); ++t)
      if (state.trials[t].halving.rung == rung && state.trials[t].failure.empty())
        add_open(sweep, state, static_cast<int>(t), rung, out);
  return out;
}

std::vector<SweepTask> confirming(const SweepFolder& sweep, const SweepState& state, SweepReader& reader) {
  std::vector<SweepTask> out;
  const int last = static_cast<int>(sweep.plan().rungs.size()) - 1;
  for (const int trial : confirmed_trials(sweep.plan(), state))
    for (const SweepMember& member : sweep.members().confirming(trial)) {
      const MemberState now = reader.read(member);
      const SweepTask task{member, last, now.finished};
      if (!now.held && is_open(task, sweep.plan(), now)) out.push_back(task);
    }
  return out;
}

}  // namespace

bool is_open(const SweepTask& task, const SweepPlan& plan, const MemberState& member) {
  if (!member.failure.empty()) return false;
  return task.validates ? member.finished && !member.validated : !has_completed(plan, member, task.rung);
}

std::vector<int> confirmed_trials(const SweepPlan& plan, const SweepState& state) {
  if (!plan.confirm || !state.searched(plan)) return {};
  std::vector<int> out = ranking(state.halving());
  out.resize(std::min(out.size(), static_cast<std::size_t>(plan.confirm->top)));
  return out;
}

std::vector<SweepTask> open_tasks(const SweepFolder& sweep, const SweepState& state, SweepReader& reader) {
  std::vector<SweepTask> out = begun(sweep, state);
  if (!out.empty()) return out;
  if (const auto next = state.next(sweep.plan())) {
    add_open(sweep, state, next->trial, next->rung, out);
    return out;
  }
  return confirming(sweep, state, reader);
}

bool all_begun(const SweepFolder& sweep, const SweepState& state) {
  return state.searched(sweep.plan()) || (sweep.plan().rungs.size() == 1 && !sweep.plan().confirm);
}

bool all_done(const SweepFolder& sweep, const SweepState& state, SweepReader& reader) {
  if (!state.searched(sweep.plan())) return false;
  for (const int trial : confirmed_trials(sweep.plan(), state))
    for (const SweepMember& member : sweep.members().confirming(trial)) {
      const MemberState now = reader.read(member);
      if (now.held || (now.failure.empty() && !now.validated)) return false;
    }
  return true;
}

SweepAmount amount_of(const SweepFolder& sweep, const SweepState& state, SweepReader& reader) {
  const SweepPlan& plan = sweep.plan();
  SweepAmount out;
  const auto members = static_cast<std::int64_t>(plan.seeds.size() * plan.folds.size());
  std::int64_t trials = 0;
  for (const TrialState& trial : state.trials) {
    trials += trial.failure.empty();
    for (const MemberState& member : trial.members) out.done += member.epochs;
  }
  if (plan.rungs.size() == 1) {
    for (std::size_t t = 0; t < state.trials.size(); ++t)
      if (state.trials[t].failure.empty()) out.all += members * plan.trials[t].epochs;
  } else {
    for (std::size_t r = 0; r < plan.rungs.size(); ++r) {
      out.all += members * trials * (plan.rungs[r] - (r > 0 ? plan.rungs[r - 1] : 0));
      trials = std::max<std::int64_t>(1, trials / plan.eta);
    }
  }
  if (plan.confirm) {
    const auto folds = static_cast<std::int64_t>(plan.confirm->folds.size());
    const auto seeds = static_cast<std::int64_t>(plan.confirm->seeds.size());
    out.all += folds * seeds * plan.rungs.back() *
               std::min<std::int64_t>(plan.confirm->top, static_cast<std::int64_t>(plan.trials.size()));
    for (const int trial : confirmed_trials(plan, state))
      for (const SweepMember& member : sweep.members().confirming(trial)) {
        const MemberState now = reader.read(member);
        for (const auto& dice : now.dice_by_fold) out.done += static_cast<std::int64_t>(dice.size());
      }
  }
  // Early stops make it less; promotions that came before better trials, more.
  out.all = std::max(out.all, out.done);
  return out;
}

}  // namespace nephron::host
