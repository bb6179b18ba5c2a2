// nephron runs page: runs as one HTML page.
#include <algorithm>
#include <memory>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/cli/light/list_options.hpp>
#include <host/runs/here_and_now.hpp>
#include <host/runs_page/runs_page.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

struct PageOptions : ListOptions {
  std::vector<std::string> curves{"dice", "val_loss", "loss"};
  fs::path out;
  bool overwrite = false;
};

/// "dice>0.9 · /data/runs · 2026-01-31 12:00"
std::string told(const PageOptions& o, std::size_t left_out) {
  std::string out = o.filter_text();
  for (const fs::path& root : o.runs.roots())
    out += (out.empty() ? "" : " · ") + fs::absolute(root).lexically_normal().string();
  if (left_out > 0) out += " · " + counted(left_out, "run") + " more left out by -n";
  std::string time = time_text().substr(0, 16);
  std::replace(time.begin(), time.end(), 'T', ' ');
  return out + " · " + time;
}

/// "9.1 MB"
std::string megabytes(std::size_t bytes) { return short_number(static_cast<double>(bytes / 10'000) / 100) + " MB"; }

void write_page(const PageOptions& o, const CommandOutput& output, const RunIndex& index) {
  const ListRequest request = o.request(index);
  const RunTable table = make_table(index, request);
  if (table.rows.empty()) throw Error(nothing_found(o, index) + ": no page is written");
  RunsPageRequest asked;
  for (const RunTable::Row& row : table.rows) asked.runs.push_back(row.run);
  asked.columns = request.columns;
  if (!request.sort.empty()) asked.sort = request.sort.front();
  asked.descending = request.descending;
  asked.curves = o.curves;
  asked.told = told(o, table.left_out);
  asked.file = o.out;
  const RunsPage page = make_runs_page(index, asked);
  const std::vector<RunProblem> problems = index.problems();
  output.write(page.html);
  warn_of(problems);
  for (const std::string& problem : page.problems) log().warning(printable_name(problem) + "; its curves are left out");
  if (page.html.size() > most_page_bytes)
    log().warning("the page takes " + megabytes(page.html.size()) +
                  ", which a browser opens slowly: a FILTER, or -n, " + "makes it smaller");
  print(printable_name(fs::absolute(o.out).lexically_normal().string()) + "\n" + counted(table.rows.size(), "run") +
        ", curves of " + std::to_string(page.with_curves) + ", " + megabytes(page.html.size()) + "\n");
}

void add_page(CLI::App& app, int&) {
  CLI::App* const command =
      app.get_subcommand("runs")->add_subcommand("page", "Runs as one HTML page: a table, and curves over each other");
  command->footer(
      "Examples:\n"
      "  nephron runs page 'name ~ unet' --out unet.html --sort dice --desc\n"
      "  nephron runs page --out all.html --columns +train.optimizer.lr,train.batch\n"
      "The page needs no network and no other file. In it the table sorts, any key becomes a column, words or filters\n"
      "narrow it, and runs that are ticked have their curves laid over each other; those that differ in their seed\n"
      "alone become one line with a band.");
  const auto o = std::make_shared<PageOptions>();
  o->add_filter_to(*command);
  command->add_option("--out", o->out, "The page to write: page.html")->required();
  command->add_option("--curves", o->curves, "Figures of metrics.jsonl whose curves it holds")
      ->delimiter(',')
      ->type_name("NAME,...")
      ->allow_extra_args(false)
      ->capture_default_str();
  command->add_flag("--overwrite", o->overwrite, "Replace the page");
  command->callback([o] {
    if (!is_page(o->out)) throw UsageError(o->out.string() + " is no page: a name that ends in .html was expected");
    const CommandOutput output(o->out, o->overwrite);
    RunIndex::with(o->runs.roots(), [&](const RunIndex& index) { write_page(*o, output, index); });
  });
}

}  // namespace

NEPHRON_COMMAND("runs page", 43, add_page)  // after the group that it belongs to

}  // namespace nephron::host
