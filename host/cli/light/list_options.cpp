#include <host/cli/light/list_options.hpp>

#include <algorithm>
#include <set>

#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> usual_columns{"id",    "name",    "status", "slurm", "dice",
                                             "epoch", "started", "user",   "tag"};

}  // namespace

void ListOptions::add_filter_to(CLI::App& command) {
  command.add_option("FILTER", filter, "Such as 'train.optimizer.lr<1e-3 and dice>0.9'; nephron runs keys names keys");
  command.add_option("--columns", columns, "Keys to show; +KEY,KEY: besides the usual ones; '*': all")
      ->delimiter(',')
      ->type_name("KEY,...")
      ->allow_extra_args(false);
  command.add_option("--sort", sort, "By these keys; without it the newest run comes first")
      ->delimiter(',')
      ->type_name("KEY,...")
      ->allow_extra_args(false);
  command.add_flag("--desc", descending, "The greatest first");
  command.add_option("-n,--most", most, "So many runs at most");
  runs.add_to(command);
}

void ListOptions::add_output_to(CLI::App& command) {
  auto* const as_json = command.add_flag("--json", json, "Print JSON");
  command.add_flag("--csv", csv, "Print CSV")->excludes(as_json);
}

std::string ListOptions::filter_text() const {
  std::string out;
  for (const std::string& word : filter) out += (out.empty() ? "" : " ") + word;
  return out;
}

ListRequest ListOptions::request(const RunIndex& index) const {
  ListRequest out;
  if (const std::string text = filter_text(); !text.empty()) out.filter = Filter::parse(text);
  const std::vector<std::string> known = index.keys();
  out.group_by = group_by;
  out.columns = columns_of(columns, known);
  for (const std::string& key : group_by) std::erase(out.columns, key);
  out.columns.insert(out.columns.begin(), group_by.begin(), group_by.end());
  // Each once: a key that is shown anyway may be added by name.
  std::set<std::string> shown;
  std::erase_if(out.columns, [&](const std::string& key) { return !shown.insert(key).second; });
  out.sort = sort;
  out.descending = descending;
  if (sort.empty() && std::binary_search(known.begin(), known.end(), "started")) {
    out.sort = {"started"};
    out.descending = !descending;
  }
  out.most = group_by.empty() ? most : 0;
  return out;
}

std::vector<std::string> known_of(const std::vector<std::string>& wanted, const std::vector<std::string>& known) {
  std::vector<std::string> out;
  for (const std::string& key : wanted)
    if (std::binary_search(known.begin(), known.end(), key)) out.push_back(key);
  return out;
}

std::vector<std::string> columns_of(std::vector<std::string> asked, const std::vector<std::string>& known) {
  if (asked.empty()) return known_of(usual_columns, known);
  if (asked == std::vector<std::string>{"*"}) return known;
  if (!asked.front().starts_with('+')) return asked;
  asked.front().erase(0, 1);
  std::vector<std::string> out = known_of(usual_columns, known);
  out.insert(out.end(), asked.begin(), asked.end());
  return out;
}

std::string nothing_found(const ListOptions& options, const RunIndex& index) {
  std::string where;
  for (const fs::path& root : options.runs.roots())
    where += (where.empty() ? "" : ", ") + printable_name(fs::absolute(root).lexically_normal().string());
  return index.runs().empty() ? "no runs in " + where + "; --runs DIR, or NEPHRON_RUNS, names another folder"
                              : "none of " + counted(index.runs().size(), "run") + " in " + where + " matches";
}

void warn_of(const std::vector<RunProblem>& problems) {
  constexpr std::size_t most = 5;
  for (std::size_t i = 0; i < std::min(most, problems.size()); ++i)
    log().warning(problems[i].text + " (" + printable_name(problems[i].run.string()) + ")");
  if (problems.size() > most)
    log().warning(counted(problems.size() - most, "run") +
                  " more with a damaged record; nephron runs show RUN tells of each");
}

}  // namespace nephron::host
