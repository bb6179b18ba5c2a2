#include <algorithm>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/data/findings.hpp>
#include <host/data/folds.hpp>
#include <host/data/listed_files.hpp>
#include <host/data/resolution.hpp>
#include <host/feed/normalisation.hpp>
#include <host/feed/preview.hpp>
#include <host/pictures/png.hpp>
#include <host/plugins/guard.hpp>
#include <host/report/data_page.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/printable.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace {

struct PreviewRequest {
  std::filesystem::path experiment;
  std::vector<std::string> set;
  std::vector<std::filesystem::path> plugins;
  std::filesystem::path out;
  int windows = 64;
  std::uint64_t epoch = 0;
  bool validation = false;
  bool overwrite = false;
  bool strict = false;
};

void add(Findings& to, Findings from) {
  std::move(from.findings.begin(), from.findings.end(), std::back_inserter(to.findings));
  std::move(from.notes.begin(), from.notes.end(), std::back_inserter(to.notes));
}

Findings findings_of(const Registry& registry, const Experiment& experiment, const PreparedData& data) {
  Findings out{data.problems, {}};
  add(out, file_findings(experiment, registry, data.datasets));
  add(out, label_findings(experiment, data));
  std::vector<int> all;
  for (int k = 0; k < std::max(1, experiment.data.folds.count); ++k) all.push_back(k);
  add(out, {leaks(experiment, data, all), {}});
  for (const int k : all) {
    try {
      require_unseen(data, k);
    } catch (const Error& e) {
      out.findings.push_back(with_hint(e));
    }
  }
  return out;
}

int check(const PreviewRequest& request) {
  PluginSearch search;
  search.command_line = request.plugins;
  std::unique_ptr<Registry> registry;
  const Experiment experiment = load_experiment(request.experiment, request.set, search, registry);
  const Listing listing(experiment, *registry);
  const PreparedData data = prepare(listing, splits_of(listing), request.strict ? 0 : 1);
  const Findings said = findings_of(*registry, experiment, data);
  for (const std::string& finding : said.findings) print(printable_name(finding) + "\n");
  for (const std::string& note : said.notes) print("note: " + printable_name(note) + "\n");
  std::cout << (data.problems.empty() ? "" : std::to_string(data.slides.size()) + " of ")
            << counted(data.problems.empty() ? data.slides.size() : data.asked, "slide") << ", "
            << counted(said.findings.size(), "finding");
  if (!said.notes.empty()) std::cout << ", " << counted(said.notes.size(), "note");
  std::cout << "\n";
  return said.findings.empty() ? Exit::done : Exit::failed;
}

void preview(const PreviewRequest& request) {
  CommandOutput output(request.out, request.overwrite, {request.experiment});
  PluginSearch search;
  search.command_line = request.plugins;
  std::unique_ptr<Registry> registry;
  const Experiment experiment = load_experiment(request.experiment, request.set, search, registry);
  const Listing listing(experiment, *registry);
  require_annotated(listing, *registry);
  const PreparedData data = normalised(prepare(listing, splits_of(listing), /*most_lost=*/1), experiment, *registry);
  warn_of_problems(data);
  output.require_none_of(files_of(listing));
  FeedOptions options;
  options.training = !request.validation;
  options.seed = static_cast<std::uint64_t>(experiment.seed);
  for (std::size_t i = 0; i < data.slides.size(); ++i)
    if (data.slides[i]->annotated()) options.slides.push_back(i);
  options.batch = experiment.train.batch;
  Feed feed(experiment, *registry, data, options);
  int windows = request.windows;
  if (request.validation && feed.count() > 0) windows = static_cast<int>(std::min<std::int64_t>(windows, feed.count()));
  if (is_page(request.out)) {
    const auto batch = request.validation ? std::vector<BatchPicture>{}
                                          : preview_batch(experiment, *registry, feed, request.epoch,
                                                          static_cast<std::size_t>(windows));
    output.write(
        data_page(experiment, data, feed, {request.epoch, windows}, batch, findings_of(*registry, experiment, data)));
  } else output.prepare(), write_png(request.out, draw_preview(feed, experiment, request.epoch, windows).view());
  std::cout << request.out.string() << ": " << counted(static_cast<std::uint64_t>(windows), "window") << " of "
            << experiment.data.tile << " px from " << counted(options.slides.size(), "slide") << " at "
            << level_text(experiment.data) << "\n";
  warn_of_lost(data);
}

struct SplitRequest {
  std::filesystem::path experiment;
  std::vector<std::string> set;
  std::vector<std::filesystem::path> plugins;
  std::filesystem::path out;
  bool overwrite = false;
};

/// What was frozen must not be dealt anew by a command that forgot to name it. A file that holds no folds is nobody's.
void require_folds_are_kept(const std::filesystem::path& file, const Splits& now) {
  if (!std::filesystem::exists(file)) return;
  Splits before;
  try {
    before = read_splits(file);
  } catch (const Error&) {
    return;
  }
  std::map<std::pair<std::string, std::string>, int> folds;
  for (const Splits::Slide& s : now.slides) folds[{s.dataset, s.id}] = s.fold;
  std::vector<std::string> moved;
  for (const Splits::Slide& s : before.slides)
    if (const auto found = folds.find({s.dataset, s.id}); found == folds.end() || found->second != s.fold)
      moved.push_back(s.id);
  if (moved.empty()) return;
  throw Error(file.string() + " holds folds that would be lost: " + list_of_names(moved) +
                  (moved.size() == 1 ? " would be in another" : " would be in others"),
              "to keep them and deal new slides on, add --set " +
                  shell_word("data.folds.file=\"" + file.string() + "\"") + "; to deal anew, remove the file");
}

void split(const SplitRequest& request) {
  PluginSearch search;
  search.command_line = request.plugins;
  std::unique_ptr<Registry> registry;
  const Experiment experiment = load_experiment(request.experiment, request.set, search, registry);
  CommandOutput output(request.out, request.overwrite, {request.experiment});
  const Listing listing(experiment, *registry);
  output.require_none_of(files_of(listing));
  const Splits splits = extended_splits(listing);
  require_folds_are_kept(request.out, splits);
  output.prepare(), write_splits(request.out, splits);
  std::vector<std::size_t> counts(static_cast<std::size_t>(splits.count));
  std::size_t never = 0;
  for (const Splits::Slide& s : splits.slides) ++(s.fold >= 0 ? counts[static_cast<std::size_t>(s.fold)] : never);
  std::string text;
  for (const std::size_t n : counts) text += (text.empty() ? "" : ", ") + std::to_string(n);
  std::cout << request.out.string() << ": " << counted(splits.slides.size(), "slide") << "; folds of " << text << "; "
            << never << " never held out\n";
}

void add_split(CLI::App& data) {
  auto* command = data.add_subcommand("split", "Write down which fold holds out which slide, for data.folds.file");
  command->footer(
      "Other experiments keep these folds with [data] folds = { file = \"FILE\" }. Slides of an experiment that has "
      "such\n"
      "a file keep their folds; those that the file does not name are dealt on.");
  const auto request = std::make_shared<SplitRequest>();
  command->add_option("experiment", request->experiment, "Experiment file (TOML)")->required();
  command->add_option("--out", request->out, "JSON file to write")->required();
  command->add_flag("--overwrite", request->overwrite, "Replace the file");
  command->add_option("--set", request->set, "KEY=VALUE, laid upon the file; may be repeated")->allow_extra_args(false);
  command->add_option("--plugin", request->plugins, "A plugin file to use besides; may be repeated")
      ->allow_extra_args(false);
  command->callback([request] { split(*request); });
}

void add_data(CLI::App& app, int& exit) {
  auto* data = app.add_subcommand("data", "Look at what a model is fed with");
  data->require_subcommand(1);
  auto* command =
      data->add_subcommand("preview", "One picture of sampled windows as the model will see them, labels outlined");
  const auto request = std::make_shared<PreviewRequest>();
  command->add_option("experiment", request->experiment, "Experiment file (TOML)")->required();
  command
      ->add_option("--out", request->out,
                   "PNG of the windows to write, or .html: a page with slides, labels, counts and windows")
      ->required();
  command->add_flag("--overwrite", request->overwrite, "Replace a file that exists");
  command->add_option("--windows", request->windows, "Number of windows")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->add_option("--epoch", request->epoch, "Epoch whose first windows are shown")->capture_default_str();
  command->add_flag("--validation", request->validation, "Windows of the validation sampler, without augmentation");
  command->add_option("--set", request->set, "KEY=VALUE, laid upon the file; may be repeated")->allow_extra_args(false);
  command->add_option("--plugin", request->plugins, "A plugin file to use besides; may be repeated")
      ->allow_extra_args(false);
  command->callback([request, &exit] {
    preview(*request);
    exit = Exit::done;
  });

  auto* checking = data->add_subcommand("check",
                                        "Look for slides that cannot be read, files without a partner, labels that are "
                                        "missing, donors on both sides of a "
                                        "fold, and slides that are there twice");
  const auto what = std::make_shared<PreviewRequest>();
  checking->add_option("experiment", what->experiment, "Experiment file (TOML)")->required();
  checking->add_option("--set", what->set, "KEY=VALUE, laid upon the file; may be repeated")->allow_extra_args(false);
  checking->add_option("--plugin", what->plugins, "A plugin file to use besides; may be repeated")
      ->allow_extra_args(false);
  checking->add_flag("--strict", what->strict, "Stop when any slide cannot be read, before looking further");
  checking->callback([what, &exit] { exit = check(*what); });
  add_split(*data);
}

}  // namespace

NEPHRON_COMMAND("data", 45, add_data)

}  // namespace nephron::host
