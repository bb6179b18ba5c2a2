#include <host/sweep/sweep_result.hpp>

#include <algorithm>
#include <cmath>

#include <nephron/error.hpp>

#include <host/compare/words.hpp>
#include <host/util/counted.hpp>
#include <host/util/listed.hpp>

namespace nephron::host {

namespace {

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double squares_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double out = 0;
  for (const double v : values) out += (v - mean) * (v - mean);
  return out;
}

/// Scores of the runs of each trial that came as far as the winner did.
std::vector<std::vector<double>> scores_at_top(const SweepPlan& plan, const SweepResult& result) {
  std::vector<std::vector<double>> out;
  if (result.ranking.empty()) return out;
  const auto trial = [&](int t) -> const TrialState& { return result.state.trials[static_cast<std::size_t>(t)]; };
  const int top = reached(trial(result.ranking[0]).halving);
  const bool last = top + 1 == static_cast<int>(plan.rungs.size());
  for (const int t : result.ranking) {
    if (reached(trial(t).halving) != top) continue;
    std::vector<double>& scores = out.emplace_back();
    for (const MemberState& member : trial(t).members)
      if (const auto s = member.score(plan.score, last ? member.epochs : plan.rungs[static_cast<std::size_t>(top)]))
        scores.push_back(*s);
  }
  return out;
}

void read_confirming(const SweepFolder& sweep, SweepReader& reader, SweepResult& out) {
  for (const int trial : out.confirmed) {
    std::vector<MemberState>& members = out.confirming.emplace_back();
    std::string& failure = out.confirm_failures.emplace_back();
    for (const SweepMember& member : sweep.members().confirming(trial)) {
      members.push_back(reader.read(member));
      if (failure.empty()) failure = members.back().failure;
    }
  }
}

/// Those that were measured, the winner of the search first.
void compare(const SweepFolder& sweep, SweepResult& out) {
  CompareRequest request;
  std::size_t sides = 0;
  for (std::size_t i = 0; i < out.confirmed.size(); ++i) {
    if (!out.confirm_failures[i].empty()) continue;
    ++sides;
    for (const SweepMember& member : sweep.members().confirming(out.confirmed[i]))
      request.runs.push_back(sweep.run(member));
  }
  if (sides < 2) return;
  request.by_seed = sweep.plan().confirm->seeds.size() > 1;
  const std::vector<std::string>& known = objection_keys();
  for (const SweepPlan::Axis& axis : sweep.plan().axes)
    if (std::find(known.begin(), known.end(), axis.key) != known.end()) request.vary.push_back(axis.key);
  try {
    out.comparison = compare_runs(request);
  } catch (const Error& e) {
    out.comparison_failure = e.what();
  }
}

std::string flattery_words(const SweepPlan& plan, const SweepResult& result) {
  const std::size_t count = scores_at_top(plan, result).size();
  if (count < 2) return "No other trial came as far: its figure was chosen from few.";
  std::string out = "Its figure is the greatest of " + counted(count, "noisy one") + ", and so too good";
  if (result.flattery)
    out += ": by " +
           (result.flattery->too_good < 1e-4 ? "less than 0.0001" : "about " + figure(result.flattery->too_good)) +
           ", by the spread between seeds (" + figure(result.flattery->noise) +
           " of a trial's score) alone; the slides that it was scored on have chosen it, too";
  else if (plan.seeds.size() < 2) out += "; by how much, more seeds would tell: seeds = [1, 2, 3]";
  return out + ". confirm = { top = 3 } in [sweep] trains the best anew on folds and seeds that chose nothing.";
}

}  // namespace

std::optional<Flattery> flattery_of(const std::vector<std::vector<double>>& scores) {
  std::vector<double> means;
  double within = 0;
  std::size_t freedom = 0, runs = 0;
  for (const std::vector<double>& of_trial : scores) {
    if (of_trial.size() < 2) return std::nullopt;
    means.push_back(mean_of(of_trial));
    within += squares_of(of_trial);
    freedom += of_trial.size() - 1;
    runs = of_trial.size();
  }
  constexpr std::size_t least = 3;
  if (means.size() < least) return std::nullopt;
  const double noise = within / static_cast<double>(freedom) / static_cast<double>(runs);
  const double total = squares_of(means) / static_cast<double>(means.size() - 1);
  const double share = total > noise ? noise / total : 1;
  const double winner = *std::max_element(means.begin(), means.end());
  return Flattery{means.size(), std::sqrt(noise), share * (winner - mean_of(means))};
}

SweepResult result_of(const SweepFolder& sweep, bool compares) {
  const SweepPlan& plan = sweep.plan();
  SweepReader reader(sweep);
  SweepResult out;
  out.state = reader.read();
  out.ranking = ranking(out.state.halving());
  out.searched = out.state.searched(plan);
  out.done = all_done(sweep, out.state, reader);
  out.flattery = flattery_of(scores_at_top(plan, out));
  out.confirmed = confirmed_trials(plan, out.state);
  read_confirming(sweep, reader, out);
  if (out.done && compares && !out.confirmed.empty()) compare(sweep, out);
  return out;
}

/// Of a trial that nobody works on, before it has come to its rung.
std::string left_words(const SweepPlan& plan, const TrialState& t) {
  const auto has = [&](const auto& what) { return std::count_if(t.members.begin(), t.members.end(), what); };
  if (has([](const MemberState& m) { return m.folder == MemberState::Folder::run; }) == 0) return "waiting";
  const int rung = std::max(0, t.halving.rung);
  const auto done = has([&](const MemberState& m) { return has_completed(plan, m, rung); });
  return "begun" + (t.members.size() > 1
                        ? ", " + std::to_string(done) + " of " + counted(t.members.size(), "run") + " done"
                        : "");
}

std::string state_of(const SweepResult& result, const SweepPlan& plan, int trial) {
  const TrialState& t = result.state.trials[static_cast<std::size_t>(trial)];
  if (t.halving.failed) return "failed";
  if (t.held) return "running";
  if (t.halving.rung < 0 && result.searched) return "left out";
  if (t.halving.rung < 0 || !t.halving.at_rest()) return left_words(plan, t);
  const auto place = std::find(result.confirmed.begin(), result.confirmed.end(), trial) - result.confirmed.begin();
  if (static_cast<std::size_t>(place) < result.confirmed.size()) {
    const auto at = static_cast<std::size_t>(place);
    if (!result.confirm_failures[at].empty()) return "confirming failed";
    const bool all = std::all_of(result.confirming[at].begin(), result.confirming[at].end(),
                                 [](const MemberState& m) { return m.validated; });
    return all ? "confirmed" : "confirming";
  }
  return t.halving.rung + 1 == static_cast<int>(plan.rungs.size()) ? "done" : "stopped early";
}

std::string winner_words(const SweepFolder& sweep, const SweepResult& result) {
  const SweepPlan& plan = sweep.plan();
  if (result.ranking.empty()) return result.searched ? "No trial has a score." : "";
  const int best = result.ranking[0];
  const HalvingTrial& winner = result.state.trials[static_cast<std::size_t>(best)].halving;
  const auto rung = static_cast<std::size_t>(reached(winner));
  std::string out = "Best" + std::string(result.searched ? "" : " so far") + ": trial " + std::to_string(best) +
                    ", Dice " + figure(*winner.score[rung]) + " (" +
                    settings_text(plan.trials[static_cast<std::size_t>(best)]) + "). ";
  if (!plan.confirm) return out + flattery_words(plan, result);
  if (!result.searched) return out + "It is confirmed when all that chooses is done.";
  if (result.confirmed.empty()) return out;
  std::vector<double> dice;
  for (const MemberState& member : result.confirming[0])
    if (const auto s = member.finished ? member.score(plan.score, member.epochs) : std::nullopt) dice.push_back(*s);
  if (dice.size() < result.confirming[0].size() || dice.empty()) return out + "It is being confirmed.";
  return out + "Trained anew on what chose nothing (folds " + listed(plan.confirm->folds) + ", seeds " +
         listed(plan.confirm->seeds) + "), it has " + figure(mean_of(dice)) + ": that is the figure to quote.";
}

}  // namespace nephron::host
