#include <host/sweep/sweep_words.hpp>

#include <algorithm>

#include <nephron/error.hpp>

#include <host/compare/words.hpp>
#include <host/config/load.hpp>
#include <host/util/counted.hpp>
#include <host/util/listed.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

std::string sweep_words(const SweepPlan& plan) {
  std::string out = plan.method + " of " + counted(plan.trials.size(), "trial");
  if (plan.rungs.size() > 1)
    out += ", rungs at " + listed(plan.rungs) + " epochs, 1 of " + std::to_string(plan.eta) + " goes on";
  out += "; " + std::string(plan.seeds.size() > 1 ? "seeds " : "seed ") + listed(plan.seeds) +
         (plan.folds.size() > 1 ? ", folds " : ", fold ") + listed(plan.folds) + "; scored by the " +
         (plan.score == "best" ? "best Dice so far" : "last Dice");
  if (plan.confirm)
    out += "; the best " + std::to_string(plan.confirm->top) + " are confirmed on folds " +
           listed(plan.confirm->folds) + " with seeds " + listed(plan.confirm->seeds);
  return out;
}

std::string score_cell(std::optional<double> score) { return score ? figure(*score) : "-"; }

std::string value_words(const std::string& toml) {
  try {
    const Value parsed = parse_toml("value = " + toml + "\n", "a setting");
    const Value* const value = parsed.find("value");
    if (value != nullptr && value->is(Value::Type::string)) return printable_name(value->string());
    if (value != nullptr && value->is(Value::Type::table) && value->table().size() == 1)
      if (const Value* const type = value->find("type"); type != nullptr && type->is(Value::Type::string))
        return printable_name(type->string());
  } catch (const Error&) {  // shown as it is
  }
  return printable_name(toml);
}

std::string setting_of(const SweepPlan::Trial& trial, const std::string& key) {
  const auto found =
      std::find_if(trial.settings.begin(), trial.settings.end(), [&](const auto& s) { return s.first == key; });
  return found == trial.settings.end() ? "" : found->second;
}

std::string short_key(const std::string& key) {
  const std::size_t dot = key.rfind('.');
  if (dot == std::string::npos || dot == 0) return printable_name(key);
  const std::size_t before = key.rfind('.', dot - 1);
  return printable_name(before == std::string::npos ? key : key.substr(before + 1));
}

std::vector<ConfirmedRow> confirmed_rows(const SweepFolder& sweep, const SweepResult& result) {
  std::vector<ConfirmedRow> out;
  const SweepPlan& plan = sweep.plan();
  for (std::size_t i = 0; i < result.confirmed.size(); ++i) {
    ConfirmedRow& row = out.emplace_back();
    row.trial = result.confirmed[i];
    const HalvingTrial& h = result.state.trials[static_cast<std::size_t>(row.trial)].halving;
    row.searched = score_cell(h.score[static_cast<std::size_t>(reached(h))]);
    double sum = 0;
    std::size_t count = 0;
    for (const MemberState& member : result.confirming[i])
      if (const auto s = member.finished ? member.score(plan.score, member.epochs) : std::nullopt) sum += *s, ++count;
    row.confirmed = count == result.confirming[i].size() && count > 0 ? figure(sum / static_cast<double>(count)) : "-";
    row.verdict = result.confirm_failures[i].empty() ? "" : "failed: " + result.confirm_failures[i];
    if (!result.comparison) continue;
    const Comparison& c = *result.comparison;
    const std::vector<SweepMember>& members = sweep.members().confirming(row.trial);
    const auto is_side = [&](const Side& side) {
      return !side.runs.empty() && c.runs[side.runs[0]].folder == sweep.run(members[0]);
    };
    const auto side = std::find_if(c.sides.begin(), c.sides.end(), is_side);
    if (side == c.sides.begin() && side != c.sides.end()) row.verdict = "baseline: the best of the search";
    for (const Finding& f : c.findings) {
      if (c.sides.begin() + static_cast<std::ptrdiff_t>(f.side) != side) continue;
      row.difference = signed_figure(f.difference), row.interval = interval_words(f.claimed());
      row.p = p_words(f.adjusted), row.verdict = verdict_words(f, c);
    }
  }
  return out;
}

}  // namespace nephron::host
