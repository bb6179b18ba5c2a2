#include <cstdio>
#include <memory>
#include <optional>

#include <host/cli/command.hpp>
#include <host/compare/comparison.hpp>
#include <host/util/command_output.hpp>
#include <host/util/printable.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {
namespace {

struct CompareOptions {
  CompareRequest request;
  std::string by, rows = "sides", viewer;
  bool json = false, csv = false, latex = false, overwrite = false;
  std::filesystem::path out;
};

/// What was measured and trained; an earlier page among it may be replaced.
std::vector<std::filesystem::path> files_of(const Comparison& comparison) {
  std::vector<std::filesystem::path> out;
  for (const MeasuredRun& run : comparison.runs)
    for (const MeasuredRun::Part& part : run.parts())
      for (const char* name : {"scores.json", "slides.csv", "slides.jsonl", "objects.csv", "objects.jsonl"})
        out.push_back(part.validation / name);
  return out;
}

int run_compare(CompareOptions& options) {
  options.request.by_seed = options.by == "seed";
  std::optional<CommandOutput> page;
  if (!options.out.empty()) {
    if (!is_page(options.out))
      throw UsageError(options.out.string() + " is no page: a name that ends in .html was expected");
    page.emplace(options.out, options.overwrite);
  }
  const Comparison comparison = compare_runs(options.request);
  if (page) {
    page->require_none_of(files_of(comparison));
    page->write(comparison_page(comparison, options.viewer));
  }
  if (options.json) std::fputs(comparison_json(comparison).c_str(), stdout);
  else if (options.csv) print(comparison_csv(comparison, options.rows));
  else if (options.latex) print(comparison_latex(comparison));
  else print(comparison_text(comparison) + (page ? "\npage: " + options.out.string() + "\n" : ""));
  return Exit::done;
}

void add_compare(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("compare", "Compare measured runs: tables, tests by donor, verdicts");
  const auto options = std::make_shared<CompareOptions>();
  CompareRequest& request = options->request;
  command
      ->add_option(
          "RUN", request.runs,
          "Run folders (runs/EXPERIMENT/DATE-ID), runs/EXPERIMENT for its latest, or folders of validate --out; "
          "nephron validate RUN measures a run")
      ->required();
  command->add_option("--baseline", request.baseline, "The run that others are compared with [the first RUN]");
  command->add_option("--metric", request.metric, "The value that verdicts are of; others are exploratory")
      ->capture_default_str();
  command->add_option("--by", options->by, "seed: runs that are equal but for it are one side")
      ->check(CLI::IsMember({"seed"}));
  command->add_option("--vary", request.vary, "KEY that is meant to differ, such as predict.tta; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--margin", request.margin, "Differences of less are as good as none: lets runs be equivalent")
      ->check(CLI::PositiveNumber);
  command->add_option("--effect", request.effect,
                      "Difference that an experiment to come is to find [the one that is seen]");
  command->add_flag("--anyway", request.anyway, "Compare what is not comparable; every output says so");
  command->add_option("--seed", request.seed, "Of bootstraps, draws and simulations")->capture_default_str();
  CLI::Option* const json = command->add_flag("--json", options->json, "Print everything as JSON");
  CLI::Option* const csv = command->add_flag("--csv", options->csv, "Print a table as CSV")->excludes(json);
  command->add_option("--rows", options->rows, "What the rows of --csv are: sides, donors or slides")
      ->check(CLI::IsMember({"sides", "donors", "slides"}))
      ->needs(csv)
      ->capture_default_str();
  command->add_flag("--latex", options->latex, "Print a booktabs table")->excludes(json)->excludes(csv);
  command->add_option("--out", options->out, "A page to write besides: page.html")->check([](const std::string& text) {
    return text.empty() ? std::string("no name") : std::string();
  });
  command->add_option("--viewer", options->viewer,
                      "Address that nephron view RUN printed: the page's objects link to it");
  command->add_flag("--overwrite", options->overwrite, "Replace the page that exists");
  command->callback([options, &exit] { exit = run_compare(*options); });
}

NEPHRON_COMMAND("compare", 42, add_compare)

}  // namespace
}  // namespace nephron::host
