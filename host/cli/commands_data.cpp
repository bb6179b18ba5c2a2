#include <algorithm>
#include <iostream>
#include <memory>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/feed/folds.hpp>
#include <host/feed/preview.hpp>
#include <host/plugins/guard.hpp>
#include <host/report/data_page.hpp>
#include <host/util/command_output.hpp>
#include <host/util/printable.hpp>

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

std::vector<std::string> findings_of(const Experiment& experiment, const PreparedData& data) {
  std::vector<std::string> out = data.problems;
  std::vector<int> all;
  for (int k = 0; k < std::max(1, experiment.data.folds.count); ++k) all.push_back(k);
  for (std::string& leak : leaks(experiment, data, all)) out.push_back(std::move(leak));
  for (const int k : all) {
    try {
      require_unseen(data, k);
    } catch (const Error& e) {
      out.push_back(with_hint(e));
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
  const auto findings = findings_of(experiment, data);
  for (const std::string& finding : findings) print(finding + "\n");
  std::cout << data.slides.size() << (data.problems.empty() ? "" : " of " + std::to_string(data.asked)) << " slides, "
            << findings.size() << (findings.size() == 1 ? " finding\n" : " findings\n");
  return findings.empty() ? Exit::done : Exit::failed;
}

std::vector<std::filesystem::path> files_of(const PreparedData& data) {
  std::vector<std::filesystem::path> out;
  for (const auto& slide : data.slides) {
    const SlideInfo& info = slide->info();
    out.push_back(info.source);
    out.insert(out.end(), info.annotations.begin(), info.annotations.end());
  }
  return out;
}

void preview(const PreviewRequest& request) {
  CommandOutput output(request.out, request.overwrite, {request.experiment});
  PluginSearch search;
  search.command_line = request.plugins;
  std::unique_ptr<Registry> registry;
  const Experiment experiment = load_experiment(request.experiment, request.set, search, registry);
  const Listing listing(experiment, *registry);
  const PreparedData data = prepare(listing, splits_of(listing), /*most_lost=*/1);
  warn_of_problems(data);
  output.require_none_of(files_of(data));
  FeedOptions options;
  options.training = !request.validation;
  options.seed = static_cast<std::uint64_t>(experiment.seed);
  for (std::size_t i = 0; i < data.slides.size(); ++i)
    if (data.slides[i]->annotated()) options.slides.push_back(i);
  const Feed feed(experiment, *registry, data, options);
  int windows = request.windows;
  if (request.validation && feed.count() > 0) windows = static_cast<int>(std::min<std::int64_t>(windows, feed.count()));
  const Image sheet = draw_preview(feed, experiment, request.epoch, windows);
  const std::string ending = request.out.extension().string();
  if (ending == ".html" || ending == ".htm")
    output.write(data_page(experiment, data, feed, sheet, findings_of(experiment, data)));
  else output.prepare(), write_png(request.out, sheet.view());
  std::cout << request.out.string() << ": " << windows << " windows of " << experiment.data.tile << " px from "
            << options.slides.size() << " slides at factor " << experiment.data.factor << "\n";
  warn_of_lost(data);
}

struct SplitRequest {
  std::filesystem::path experiment;
  std::vector<std::string> set;
  std::vector<std::filesystem::path> plugins;
  std::filesystem::path out;
  bool overwrite = false;
};

void split(const SplitRequest& request) {
  PluginSearch search;
  search.command_line = request.plugins;
  std::unique_ptr<Registry> registry;
  const Experiment experiment = load_experiment(request.experiment, request.set, search, registry);
  CommandOutput output(request.out, request.overwrite, {request.experiment});
  const Listing listing(experiment, *registry);
  const Splits splits = extended_splits(listing);
  output.prepare(), write_splits(request.out, splits);
  std::vector<std::size_t> counts(static_cast<std::size_t>(splits.count));
  std::size_t never = 0;
  for (const Splits::Slide& s : splits.slides) ++(s.fold >= 0 ? counts[static_cast<std::size_t>(s.fold)] : never);
  std::string text;
  for (const std::size_t n : counts) text += (text.empty() ? "" : ", ") + std::to_string(n);
  std::cout << request.out.string() << ": " << splits.slides.size() << " slides; folds of " << text << "; " << never
            << " never held out\n";
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

  auto* checking = data->add_subcommand(
      "check", "Look for slides that cannot be read, donors on both sides of a fold, and slides that are there twice");
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
