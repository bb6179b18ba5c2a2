#include <host/compare/comparison.hpp>
#include <host/compare/fold_parts.hpp>

#include <algorithm>
#include <set>

#include <nephron/error.hpp>

#include <host/config/show.hpp>
#include <host/stats/sign_flip.hpp>
#include <host/util/counted.hpp>
#include <host/util/shell_word.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t share_draws = 10000;

/// The runs, the baseline first.
std::vector<MeasuredRun> read_runs(const CompareRequest& request) {
  std::vector<fs::path> paths = request.runs;
  std::vector<MeasuredRun> out;
  if (!request.baseline.empty()) out.push_back(read_measured_run(request.baseline));
  for (const fs::path& path : paths) {
    MeasuredRun run = read_measured_run(path);
    // The baseline may be one of the runs.
    if (!request.baseline.empty() && run.validation == out[0].validation) continue;
    for (const MeasuredRun& other : out)
      if (other.validation == run.validation)
        throw UsageError(run.validation.string() + " is named twice", "name two runs, or two validations of one run");
    out.push_back(std::move(run));
  }
  if (out.size() < 2) throw UsageError("one run alone cannot be compared", "name another, or --baseline RUN");
  out = join_folds(std::move(out));
  if (out.size() < 2)
    throw UsageError("these runs are the folds of one training: there is nothing to compare them with",
                     "name another, or --baseline RUN");
  name_apart(out);
  return out;
}

void require_value(const MeasuredRun& run, const std::string& value) {
  if (run.values.contains(value)) return;
  std::string there, of_metric;
  for (const auto& [name, facts] : run.values) {
    there += (there.empty() ? "" : ", ") + name;
    if (facts.metric == value) of_metric += (of_metric.empty() ? "" : ", ") + name;
  }
  if (!of_metric.empty())
    throw UsageError("\"" + value + "\" is a metric, and gave several values: " + of_metric,
                     "--metric takes one of them");
  throw Error(run.validation.string() + " has no value \"" + value + "\"; it has " + there,
              "--metric takes one of these; nephron validate " + shell_word(run.folder.string()) +
                  " --metrics ... --overwrite measures others (docs/measuring.md names them)");
}

/// Sorts objections into those that are allowed and those that are not.
void settle_objections(Comparison& c) {
  std::vector<Objection> refused;
  for (Objection& o : objections(c.runs, c.request.metric)) {
    const bool allowed = is_named(o.key, c.request.vary);
    (allowed ? c.varied : c.request.anyway ? c.ignored : refused).push_back(std::move(o));
  }
  if (refused.empty()) return;
  std::string text = "these runs are not comparable, for " + counted(refused.size(), "reason") + ":";
  std::set<std::string> keys;
  for (const Objection& o : refused) {
    text += "\n  " + o.text + "  [" + o.key + "]";
    keys.insert(o.key);
  }
  std::string vary;
  for (const std::string& key : keys) vary += " --vary " + key;
  throw Error(text, "What is meant to differ is named:" + vary +
                        ". --anyway compares what is common to all, and marks every output.");
}

void require_known_keys(const CompareRequest& request, const std::vector<MeasuredRun>& runs) {
  std::set<std::string> known(objection_keys().begin(), objection_keys().end());
  for (const std::string& key : request.vary) {
    const auto holds = [&](const std::string& name) { return is_named(name, {key}); };
    bool found = std::any_of(known.begin(), known.end(), holds);
    for (const MeasuredRun& run : runs) {
      if (found) break;
      for (const Leaf& leaf : leaves(run.config)) found = found || holds(leaf.key);
    }
    if (found) continue;
    std::string names;
    for (const std::string& name : objection_keys()) names += (names.empty() ? "" : ", ") + name;
    throw UsageError("--vary " + key + ": neither a key of these experiments nor one of " + names);
  }
}

GoodWhen good_when_of(const Comparison& c) {
  for (const MeasuredRun& run : c.runs)
    if (const GoodWhen told = run.values.at(c.request.metric).good_when; told != GoodWhen::not_told) return told;
  return GoodWhen::not_told;
}

bool lower_is_better(const std::vector<MeasuredRun>& runs, const std::string& value) {
  return std::any_of(runs.begin(), runs.end(),
                     [&](const MeasuredRun& run) { return run.values.at(value).good_when == GoodWhen::lower; });
}

void explore(Comparison& c, const std::vector<SlideKey>& slides) {
  const auto add = [&](const std::string& value, const std::string& of_class) {
    const ValueTable table = value_table(c.runs, slides, value, of_class);
    const FindingOptions options{c.request.seed, lower_is_better(c.runs, value), {}};
    if (!table.donors.empty()) c.exploratory.push_back(findings(table, c.sides, options, /*verdicts=*/false));
  };
  if (c.runs[0].facts.classes.size() > 1)
    for (const std::string& of_class : c.runs[0].facts.classes) add(c.request.metric, of_class);
  for (const std::string& value : common_values(c.runs, c.request.metric))
    if (value != c.request.metric) add(value, "");
}

void take_notes(Comparison& c) {
  const auto note = [&](std::string text) { c.notes.push_back(std::move(text)); };
  const std::size_t own =
      static_cast<std::size_t>(std::count(c.table.donor_known.begin(), c.table.donor_known.end(), false));
  if (own > 0)
    note(counted(own, "slide") + (own == 1 ? " has" : " have") + " no donor on record and " +
         (own == 1 ? "counts as its" : "each counts as its") + " own: if some are of one donor, p is too small.");
  for (const std::string& text : shared_donors(c.runs)) note(text);
  if (c.table.donors.size() < least_differences)
    note("Of " + counted(c.table.donors.size(), "donor") + " no p under 0.05 exists (at best " +
         std::to_string(least_sign_flip_p(c.table.donors.size())).substr(0, 6) + "): no verdict. It takes " +
         std::to_string(least_differences) + ".");
  if (!c.table.left_out.empty())
    note(c.request.metric + " is undefined in some runs and not in others for " +
         counted(c.table.left_out.size(), "value") +
         ", which are left out of all, and may flatter those that have none: " + c.table.left_out[0] +
         (c.table.left_out.size() > 1 ? ", ..." : "") + ".");
  const bool seeds = std::any_of(c.sides.begin(), c.sides.end(), [](const Side& s) { return s.runs.size() > 1; });
  if (!seeds)
    note(
        "One seed a side: this holds for these weights, not for the recipe. Runs of other seeds, and --by seed, tell "
        "more.");
  else if (std::any_of(c.sides.begin(), c.sides.end(), [](const Side& s) { return s.runs.size() == 1; }))
    note(
        "A side of one seed is taken to vary between seeds as the other does, which nothing here can show: if its "
        "seeds "
        "vary by twice as much, equal recipes get a p under 0.05 in 15 to 25 of 100 comparisons. A second seed of it "
        "settles that.");
  for (const Finding& f : seeds ? c.findings : std::vector<Finding>{}) {
    const std::string both = c.sides[0].name + " and " + c.sides[f.side].name;
    if (!f.recipe && c.table.donors.size() > 1)
      note(both + " have one seed each: that holds for these weights, not for the recipe.");
    if (f.verdict == Verdict::too_few_seeds)
      note(both +
           ": one seed beside two tells too little of the spread between seeds. A p under 0.05 comes in up to "
           "11 of 100 such comparisons of equal recipes: no verdict. It takes two seeds a side, or one beside three.");
  }
  if (std::any_of(c.runs.begin(), c.runs.end(), [](const MeasuredRun& r) { return r.facts.checkpoint == "best"; }))
    note("The best weights were chosen on the very slides that are measured: every side's figures flatter a little.");
  if (c.good_when == GoodWhen::not_told)
    note("Which way " + c.request.metric + " is better was not recorded (an older validation): taken as higher.");
  if (c.good_when == GoodWhen::neither)
    note("No way of " + c.request.metric + " is better: read \"better\" as higher.");
  if (!c.pooled.why_none.empty()) note("No pooled figures: " + c.pooled.why_none + ".");
  for (const MeasuredRun& run : c.runs)
    if (run.config_edited)
      note(run.name + ": its experiment.resolved.toml was edited, so places of its keys are those of that file.");
}

}  // namespace

Comparison compare_runs(const CompareRequest& request) {
  Comparison c;
  c.request = request;
  c.runs = read_runs(request);
  require_known_keys(request, c.runs);
  for (const MeasuredRun& run : c.runs) require_value(run, request.metric);
  settle_objections(c);
  c.good_when = good_when_of(c);
  c.sides = request.by_seed ? sides_by_seed(c.runs) : sides_of_runs(c.runs);
  if (c.sides.size() < 2)
    throw UsageError("these runs are one recipe with " + counted(c.runs.size(), "seed") + ": --by seed leaves one side",
                     "add runs of another recipe, or compare them without --by seed");
  const std::vector<SlideKey> slides = common_slides(c.runs);
  if (slides.empty()) throw Error("these runs have no slide in common");
  c.table = value_table(c.runs, slides, request.metric, "");
  if (c.table.donors.empty()) throw Error("no slide has a value \"" + request.metric + "\" in all of these runs");
  c.findings =
      findings(c.table, c.sides, {request.seed, c.good_when == GoodWhen::lower, request.margin}, /*verdicts=*/true);
  for (std::size_t i = 0; i < c.findings.size(); ++i)
    c.settlings.push_back(settling(c.findings, i, c.table, c.sides, request.effect, request.seed));
  if (c.sides.size() > 2) {
    std::vector<std::vector<double>> rows;
    for (const Side& side : c.sides) rows.push_back(donors_of_side(c.table, side));
    c.first_share =
        share_first(rows, c.good_when != GoodWhen::lower, {c.table.donors.size(), share_draws, request.seed});
  }
  explore(c, slides);
  c.pooled = pooled_figures(c.runs, c.sides, c.table, request.seed);
  c.objects = compare_objects(c.runs, c.sides, c.table, request.seed);
  c.differences = config_differences(c.runs, c.sides, request.vary);
  for (const MeasuredRun& run : c.runs) {
    std::vector<fs::path> folders;
    for (const MeasuredRun::Part& part : run.parts()) folders.push_back(part.folder);
    c.costs.push_back(cost_of_all(folders));
  }
  take_notes(c);
  return c;
}

}  // namespace nephron::host
