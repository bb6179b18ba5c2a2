#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/feed/findings.hpp>
#include <host/feed/folds.hpp>
#include <host/feed/preview.hpp>
#include <host/report/data_page.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>

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
};

void add(Findings& to, Findings from) {
  std::move(from.findings.begin(), from.findings.end(), std::back_inserter(to.findings));
  std::move(from.notes.begin(), from.notes.end(), std::back_inserter(to.notes));
}

Findings findings_of(const Experiment& experiment, const Registry& registry, const PreparedData& data) {
  Findings out{data.problems, {}};
  add(out, file_findings(experiment, registry, data));
  add(out, label_findings(experiment, data));
  const std::vector<int> folds = folds_of(experiment, data);
  std::vector<int> all;
  for (int k = 0; k < std::max(1, experiment.data.folds.count); ++k) all.push_back(k);
  add(out, {leaks(experiment, data, folds, all), {}});
  for (const int k : all) {
    try {
      require_unseen(data, folds, k);
    } catch (const Error& e) {
      out.findings.emplace_back(e.what());
    }
  }
  return out;
}

int check(const PreviewRequest& request) {
  PluginSearch search;
  search.command_line = request.plugins;
  std::unique_ptr<Registry> registry;
  const Experiment experiment = load_experiment(request.experiment, request.set, search, registry);
  const PreparedData data = prepare(experiment, *registry);
  const Findings said = findings_of(experiment, *registry, data);
  for (const std::string& finding : said.findings) std::cout << finding << "\n";
  for (const std::string& note : said.notes) std::cout << "note: " << note << "\n";
  std::cout << counted(data.slides.size(), "slide") << ", " << counted(said.findings.size(), "finding");
  if (!said.notes.empty()) std::cout << ", " << counted(said.notes.size(), "note");
  std::cout << "\n";
  return said.findings.empty() ? Exit::done : Exit::failed;
}

void preview(const PreviewRequest& request) {
  PluginSearch search;
  search.command_line = request.plugins;
  std::unique_ptr<Registry> registry;
  const Experiment experiment = load_experiment(request.experiment, request.set, search, registry);
  const PreparedData data = prepare(experiment, *registry);
  warn_of_problems(data);
  require_annotated(experiment, *registry, data);
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
    write_file_atomically(request.out, data_page(experiment, data, feed, sheet, findings_of(experiment, *registry, data)));
  else write_png(request.out, sheet.view());
  std::cout << request.out.string() << ": " << windows << (windows == 1 ? " window of " : " windows of ")
            << experiment.data.tile << " px from " << counted(options.slides.size(), "slide") << " at factor " << experiment.data.factor << "\n";
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
      "check",
      "Look for slides that cannot be read, files without a partner, labels that are missing, donors on both sides of a "
      "fold, and slides that are there twice");
  const auto what = std::make_shared<PreviewRequest>();
  checking->add_option("experiment", what->experiment, "Experiment file (TOML)")->required();
  checking->add_option("--set", what->set, "KEY=VALUE, laid upon the file; may be repeated")->allow_extra_args(false);
  checking->add_option("--plugin", what->plugins, "A plugin file to use besides; may be repeated")
      ->allow_extra_args(false);
  checking->callback([what, &exit] { exit = check(*what); });
}

}  // namespace

NEPHRON_COMMAND("data", 45, add_data)

}  // namespace nephron::host
