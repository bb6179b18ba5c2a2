// nephron runs list, keys, find, show: what is known of runs.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <set>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/cli/light/list_options.hpp>
#include <host/registry/labels.hpp>
#include <host/registry/run_index.hpp>
#include <host/registry/run_table.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;
using Rows = std::vector<std::vector<RunTable::Cell>>;

void print_rows(const ListOptions& o, const std::vector<std::string>& columns, const Rows& rows) {
  if (o.csv) return print(to_csv(columns, rows));
  const std::string text = o.json ? to_json(columns, rows) : to_text(columns, rows, terminal_width());
  std::fwrite(text.data(), 1, text.size(), stdout);
}

/// Whether some of the runs trained more folds than others, so that a Dice of one fold stands beside means of several.
bool folds_differ(const RunTable& table, std::size_t folds) {
  std::set<std::ptrdiff_t> counts;
  for (const RunTable::Row& row : table.rows)
    if (const RunTable::Cell& cell = row.cells[folds])
      if (const std::string text = text_of(*cell); !text.empty())
        counts.insert(std::count(text.begin(), text.end(), ','));
  return counts.size() > 1;
}

/// Of lists that are in the order of a Dice.
std::string note_on_order(const ListRequest& request) {
  for (const std::string& key : request.sort)
    if (shown_as(key) == ShownAs::share)
      return "(" + key +
             ": of one fold beside means of several. 'folds=0,1,2' as a filter takes runs of these alone)\n";
  return {};
}

/// The table of the list. `folds`, which is asked for to know, is shown where it differs, or was named; `note` is said
/// below it.
RunTable table_of(const ListOptions& o, const RunIndex& index, std::string& note) {
  ListRequest request = o.request(index);
  const auto begin = request.columns.begin(), end = request.columns.end();
  const bool named = std::find(begin, end, "folds") != end;
  const bool known = !known_of({"folds"}, index.keys()).empty();
  const auto dice = std::find(begin, end, "dice");
  if (!named && known) request.columns.insert(dice == end ? end : dice + 1, "folds");
  RunTable table = make_table(index, request);
  if (!known || !o.group_by.empty()) return table;
  const auto at = std::find(table.columns.begin(), table.columns.end(), "folds") - table.columns.begin();
  const bool differ = folds_differ(table, static_cast<std::size_t>(at));
  if (differ) note = note_on_order(request);
  const bool usual = !o.json && !o.csv && (o.columns.empty() || o.columns.front().starts_with('+'));
  if (named || (differ && usual)) return table;
  table.columns.erase(table.columns.begin() + at);
  for (RunTable::Row& row : table.rows) row.cells.erase(row.cells.begin() + at);
  return table;
}

void list_groups(const ListOptions& o, const RunTable& table) {
  const bool named = std::find(o.columns.begin(), o.columns.end(), "folds") != o.columns.end();
  const GroupTable groups = group(table, o.group_by.size(), named);
  print_rows(o, groups.columns, groups.rows);
  std::string keys_text;
  for (const std::string& key : o.group_by) keys_text += (keys_text.empty() ? "" : ",") + key;
  const auto is_dice = [](const std::string& key) { return shown_as(key) == ShownAs::share; };
  if (groups.folds_differ && !o.json && !o.csv && std::any_of(groups.columns.begin(), groups.columns.end(), is_dice))
    print(
        "(means over different folds, as the column folds says: the Dice of an easy fold is no better than a mean of "
        "six. --group-by " +
        keys_text + ",folds keeps them apart)\n");
}

void list(const ListOptions& o, const RunIndex& index) {
  std::string note;
  RunTable table = table_of(o, index, note);
  const std::vector<RunProblem> problems = index.problems();
  if (table.rows.empty() && !o.json && !o.csv) {
    print(nothing_found(o, index) + "\n");
  } else if (!o.group_by.empty()) {
    list_groups(o, table);
  } else {
    Rows rows;
    for (RunTable::Row& row : table.rows) rows.push_back(std::move(row.cells));
    print_rows(o, table.columns, rows);
    if (!o.json && !o.csv) print(note);
    if (table.left_out > 0 && !o.json && !o.csv) print("(" + counted(table.left_out, "run") + " more)\n");
  }
  warn_of(problems);
}

void add_list(CLI::App& runs) {
  const auto o = std::make_shared<ListOptions>();
  CLI::App* const command = runs.add_subcommand("list", "A table of runs");
  o->add_filter_to(*command);
  command->add_option("--group-by", o->group_by, "A line for each value of these keys, with means over its runs")
      ->delimiter(',')
      ->type_name("KEY,...")
      ->allow_extra_args(false);
  o->add_output_to(*command);
  command->callback([o] { RunIndex::with(o->runs.roots(), [&](const RunIndex& index) { list(*o, index); }); });
}

// ---- keys

void add_keys(CLI::App& runs) {
  const auto o = std::make_shared<ListOptions>();
  CLI::App* const command = runs.add_subcommand("keys", "The keys that filters and columns may name");
  command->add_option("WORD", o->filter, "Only keys that contain it")->expected(0, 1);
  o->runs.add_to(*command);
  command->callback([o] {
    const std::string word = o->filter_text();
    std::vector<std::string> known;
    RunIndex::with(o->runs.roots(), [&](const RunIndex& index) { known = index.keys(); });
    bool any = false;
    for (const std::string& key : known)
      if (key.find(word) != std::string::npos) print(printable_name(key) + "\n"), any = true;
    if (any) return;
    const std::string near = near_key(word, known);
    log().warning(known.empty() ? "no runs there, so no keys"
                                : "no key contains \"" + printable_name(word) + "\"" +
                                      (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
  });
}

// ---- find

struct FindOptions : ListOptions {
  std::string plugin, slide, weights, commit;
};

std::vector<FoundUse> found_of(const FindOptions& o, const RunIndex& index) {
  if (!o.plugin.empty()) return index.uses(Use::Kind::plugin, o.plugin);
  if (!o.slide.empty()) return index.uses(Use::Kind::slide, o.slide);
  if (!o.commit.empty()) return index.uses(Use::Kind::commit, o.commit);
  // A run stands for its weights.
  std::string weights = o.weights;
  if (const auto run = find_run(weights, o.runs.roots())) weights = run->string();
  std::error_code failed;
  if (const fs::path there = fs::canonical(weights, failed); !failed) weights = there.string();
  return index.uses(Use::Kind::weights, weights);
}

void find(const FindOptions& o, const RunIndex& index) {
  std::unordered_map<std::int64_t, std::string> how;
  for (const FoundUse& use : found_of(o, index)) {
    std::string& text = how[use.run];
    text += (text.empty() ? "" : "; ") + use.how;
  }
  ListRequest request;
  request.columns = columns_of(o.columns, index.keys());
  request.sort = known_of({"started"}, index.keys());
  request.descending = true;
  RunTable table = make_table(index, request);
  Rows rows;
  for (RunTable::Row& row : table.rows)
    if (const auto found = how.find(row.run.number); found != how.end()) {
      row.cells.emplace_back(found->second);
      rows.push_back(std::move(row.cells));
    }
  if (rows.empty() && !o.json && !o.csv) return print(nothing_found(o, index) + "\n");
  table.columns.emplace_back("used as");
  print_rows(o, table.columns, rows);
}

void add_find(CLI::App& runs) {
  const auto o = std::make_shared<FindOptions>();
  CLI::App* const command = runs.add_subcommand("find", "Which runs used a plugin, slide, weights or commit?");
  auto* const what = command->add_option_group("what", "One of these");
  what->add_option("--plugin", o->plugin, "Name of a plugin or component, its file, or its SHA-256")->type_name("X");
  what->add_option("--slide", o->slide, "Id or file of a slide")->type_name("X");
  what->add_option("--weights", o->weights, "File of weights, their SHA-256, or a run whose weights others began with")
      ->type_name("X");
  what->add_option("--commit", o->commit, "Of nephron or of the experiment; its begin is enough")->type_name("X");
  what->require_option(0, 1);
  command->add_option("--columns", o->columns, "As of runs list")
      ->delimiter(',')
      ->type_name("KEY,...")
      ->allow_extra_args(false);
  o->add_output_to(*command);
  o->runs.add_to(*command);
  command->callback([o] {
    if (o->plugin.empty() && o->slide.empty() && o->weights.empty() && o->commit.empty())
      throw UsageError("nothing to look for", "name one of --plugin, --slide, --weights, --commit");
    RunIndex::with(o->runs.roots(), [&](const RunIndex& index) { find(*o, index); });
  });
}

// ---- show

struct ShowOptions {
  RunsOptions runs;
  std::string run;
  bool all = false, json = false;
};

/// All that the run's folder says, by source.
struct WholeRun {
  std::vector<SourceFacts> sources;
  RunReader::State state;
  RunLabels labels;

  explicit WholeRun(const fs::path& run) : labels(read_labels(run)) {
    const RunReader reader(run);
    for (const FactSource source : fact_sources) sources.push_back(reader.read(source));
    state = reader.state();
  }
  const Facts& facts(FactSource source) const { return sources[static_cast<std::size_t>(source)].facts; }
};

void print_facts(const std::string& title, const Facts& facts) {
  if (facts.empty()) return;
  std::size_t width = 0;
  for (const Fact& fact : facts) width = std::max(width, fact.key.size());
  print("\n" + title + "\n");
  for (const Fact& fact : facts)
    print("  " + printable_name(fact.key) + std::string(width - fact.key.size() + 2, ' ') +
          printable_name(shown(fact.key, fact.value)) + "\n");
}

void print_json(const fs::path& run, const WholeRun& whole) {
  using Json = nlohmann::ordered_json;
  const auto value = [](const FactValue& v) {
    if (std::holds_alternative<std::string>(v)) return Json(std::get<std::string>(v));
    return std::holds_alternative<double>(v) ? Json(std::get<double>(v)) : Json(std::get<std::int64_t>(v));
  };
  Json out{{"run", run.string()}, {"status", name_of(whole.state.status)}};
  if (!whole.state.error.empty()) out["error"] = whole.state.error;
  if (!whole.state.hint.empty()) out["hint"] = whole.state.hint;
  out["tags"] = whole.labels.tags;
  out["notes"] = Json::array();
  for (const RunNote& note : whole.labels.notes)
    out["notes"].push_back({{"text", note.text}, {"user", note.user}, {"at", note.at}});
  out["facts"] = Json::object();
  out["problems"] = Json::array();
  for (const SourceFacts& source : whole.sources) {
    for (const Fact& fact : source.facts)
      if (fact.key != "tag" && fact.key != "note") out["facts"][fact.key] = value(fact.value);
    if (!source.problem.empty()) out["problems"].push_back(source.problem);
  }
  std::fputs((out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n").c_str(), stdout);
}

void show(const ShowOptions& o) {
  const fs::path run = o.runs.run(o.run);
  const WholeRun whole(run);
  if (o.json) return print_json(run, whole);
  print(printable_name(run.string()) + "\n" + name_of(whole.state.status));
  for (const Fact& fact : whole.facts(FactSource::environment))
    if (fact.key == "started") print(", started " + time_ago(text_of(fact.value), std::time(nullptr)));
  print("\n");
  for (const std::string& text : {whole.state.error, whole.state.hint})
    if (!text.empty()) print("  " + printable(text) + "\n");
  std::string tags;
  for (const std::string& tag : whole.labels.tags) tags += " " + printable_name(tag);
  if (!tags.empty()) print("tags:" + tags + "\n");
  for (const RunNote& note : whole.labels.notes)
    print(printable_name(note.user) + ", " + time_ago(note.at, std::time(nullptr)) + ": " + printable(note.text) +
          "\n");
  print_facts("results", whole.facts(FactSource::results));
  print_facts("validation", whole.facts(FactSource::validation));
  print_facts("environment", whole.facts(FactSource::environment));
  if (o.all) print_facts("experiment", whole.facts(FactSource::experiment));
  else print("\n" + counted(whole.facts(FactSource::experiment).size(), "key") + " of the experiment with --all\n");
  for (const SourceFacts& source : whole.sources)
    if (!source.problem.empty()) log().warning(source.problem);
}

void add_show(CLI::App& runs) {
  const auto o = std::make_shared<ShowOptions>();
  CLI::App* const command = runs.add_subcommand("show", "All that is known of one run");
  command->add_option("RUN", o->run, "Its folder, its id, NAME@latest or NAME@best")->required();
  command->add_flag("--all", o->all, "Every key of its experiment, too");
  command->add_flag("--json", o->json, "Print JSON");
  o->runs.add_to(*command);
  command->callback([o] { show(*o); });
}

void add_runs(CLI::App& app, int&) {
  CLI::App* const runs = app.add_subcommand("runs", "List, find, label and put aside runs");
  runs->require_subcommand(1);
  add_list(*runs);
  add_show(*runs);
  add_find(*runs);
  add_keys(*runs);
}

}  // namespace

NEPHRON_COMMAND("runs", 42, add_runs)

}  // namespace nephron::host
