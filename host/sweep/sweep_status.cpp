#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <host/compare/words.hpp>
#include <host/sweep/sweep_result.hpp>
#include <host/sweep/sweep_words.hpp>
#include <host/util/counted.hpp>
#include <host/util/printable.hpp>
#include <host/util/shell_word.hpp>
#include <host/util/text_table.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

/// The best first, then those that have no score yet, then those that failed.
std::vector<int> shown_order(const SweepResult& result) {
  std::vector<int> out = result.ranking;
  const auto add = [&](bool failed) {
    for (int t = 0; t < static_cast<int>(result.state.trials.size()); ++t)
      if (result.state.trials[static_cast<std::size_t>(t)].halving.failed == failed &&
          std::find(out.begin(), out.end(), t) == out.end())
        out.push_back(t);
  };
  add(false), add(true);
  return out;
}

std::string trial_table(const SweepPlan& plan, const SweepResult& result) {
  constexpr std::size_t most = 40;
  std::vector<std::string> head{"trial", "state"};
  for (const std::int64_t epochs : plan.rungs)
    head.push_back(plan.rungs.size() == 1 ? "Dice" : "epoch " + std::to_string(epochs));
  for (const SweepPlan::Axis& axis : plan.axes) head.push_back(short_key(axis.key));
  Rows rows{head};
  const std::vector<int> order = shown_order(result);
  for (const int t : order) {
    if (rows.size() > most) break;
    const HalvingTrial& h = result.state.trials[static_cast<std::size_t>(t)].halving;
    std::vector<std::string> row{std::to_string(t), state_of(result, plan, t)};
    for (const auto& score : h.score) row.push_back(score_cell(score));
    for (const SweepPlan::Axis& axis : plan.axes)
      row.push_back(value_words(setting_of(plan.trials[static_cast<std::size_t>(t)], axis.key)));
    rows.push_back(std::move(row));
  }
  std::string out = table_text(rows);
  if (order.size() > most)
    out += "(" + counted(order.size() - most, "trial") + " more: --json and the page have all)\n";
  return out;
}

std::string failures(const SweepResult& result) {
  std::string out;
  for (std::size_t t = 0; t < result.state.trials.size(); ++t)
    if (const std::string& why = result.state.trials[t].failure; !why.empty())
      out += "  trial " + std::to_string(t) + ": " + printable_name(why) + "\n";
  return out.empty() ? "" : "failed\n" + out;
}

std::string confirming(const SweepFolder& sweep, const SweepResult& result) {
  if (result.confirmed.empty()) return {};
  Rows rows{{"trial", "chosen by", "confirmed", "difference", "95 % interval", "p", "verdict"}};
  for (const ConfirmedRow& row : confirmed_rows(sweep, result))
    rows.push_back({std::to_string(row.trial), row.searched, row.confirmed, row.difference, row.interval, row.p,
                    printable_name(row.verdict)});
  std::string out = "\nconfirmed on what chose nothing\n" + table_text(rows);
  if (!result.comparison_failure.empty()) out += "not compared: " + result.comparison_failure + "\n";
  return out;
}

std::string what_next(const SweepFolder& sweep, const SweepResult& result) {
  if (result.done) return "all is done\n";
  const bool runs =
      std::any_of(result.state.trials.begin(), result.state.trials.end(), [](const TrialState& t) { return t.held; });
  std::string out = sweep.stop_asked() ? "a stop was asked for"
                    : runs             ? "runs are being trained"
                                       : "nothing is being trained";
  return out + "; go on with: nephron sweep resume " + shell_word(sweep.path().string()) + "\n";
}

Json number(std::optional<double> v) { return v && std::isfinite(*v) ? Json(*v) : Json(); }

Json member_json(const SweepFolder& sweep, const SweepMember& member, const MemberState& state) {
  return {{"run", sweep.run(member).string()},
          {"seed", member.seed},
          {"folds", member.folds},
          {"epochs", state.epochs},
          {"finished", state.finished},
          {"running", state.held},
          {"dice", number(state.score(sweep.plan().score, state.epochs))},
          {"failure", state.failure.empty() ? Json() : Json(state.failure)}};
}

Json trial_json(const SweepFolder& sweep, const SweepResult& result, int t) {
  const SweepPlan& plan = sweep.plan();
  const auto at = static_cast<std::size_t>(t);
  const TrialState& trial = result.state.trials[at];
  Json settings = Json::object();
  for (const auto& [key, value] : plan.trials[at].settings) settings[key] = value;
  Json scores = Json::array(), members = Json::array();
  for (const auto& score : trial.halving.score) scores.push_back(number(score));
  for (std::size_t m = 0; m < trial.members.size(); ++m)
    members.push_back(member_json(sweep, sweep.members().of(t)[m], trial.members[m]));
  return {{"trial", t},
          {"state", state_of(result, plan, t)},
          {"rung", trial.halving.rung},
          {"settings", settings},
          {"scores", scores},
          {"failure", trial.failure.empty() ? Json() : Json(trial.failure)},
          {"runs", members}};
}

Json confirm_json(const SweepFolder& sweep, const SweepResult& result) {
  Json out = Json::array();
  const std::vector<ConfirmedRow> rows = confirmed_rows(sweep, result);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Json members = Json::array();
    for (std::size_t m = 0; m < result.confirming[i].size(); ++m)
      members.push_back(member_json(sweep, sweep.members().confirming(rows[i].trial)[m], result.confirming[i][m]));
    out.push_back({{"trial", rows[i].trial}, {"verdict", rows[i].verdict}, {"runs", members}});
  }
  return out;
}

}  // namespace

std::string status_text(const SweepFolder& sweep, const SweepResult& result) {
  const SweepPlan& plan = sweep.plan();
  std::string out = plan.name + ": " + sweep_words(plan) + "\n\n" + trial_table(plan, result) + "\n";
  out += failures(result);
  for (const std::string& problem : result.state.problems) out += "in the way: " + problem + "\n";
  if (const std::string words = winner_words(sweep, result); !words.empty()) out += words + "\n";
  return out + confirming(sweep, result) + what_next(sweep, result);
}

std::string status_json(const SweepFolder& sweep, const SweepResult& result) {
  const SweepPlan& plan = sweep.plan();
  Json out{{"sweep", sweep.path().string()}, {"method", plan.method}, {"rungs", plan.rungs},
           {"searched", result.searched},    {"done", result.done},   {"stop_asked", sweep.stop_asked()},
           {"ranking", result.ranking}};
  out["too_good_by"] = result.flattery ? number(result.flattery->too_good) : Json();
  out["trials"] = Json::array();
  for (int t = 0; t < static_cast<int>(plan.trials.size()); ++t) out["trials"].push_back(trial_json(sweep, result, t));
  out["confirmed"] = confirm_json(sweep, result);
  out["comparison"] = result.comparison ? Json::parse(comparison_json(*result.comparison)) : Json();
  out["not_compared"] = result.comparison_failure.empty() ? Json() : Json(result.comparison_failure);
  out["problems"] = result.state.problems;
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nephron::host
