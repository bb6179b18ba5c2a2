#include <iostream>
#include <memory>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/feed/preview.hpp>

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

void preview(const PreviewRequest& request) {
  PluginSearch search;
  search.command_line = request.plugins;
  std::unique_ptr<Registry> registry;
  const Experiment experiment = load_experiment(request.experiment, request.set, search, registry);
  const PreparedData data = prepare(experiment, *registry);
  FeedOptions options;
  options.training = !request.validation;
  options.seed = static_cast<std::uint64_t>(experiment.seed);
  for (std::size_t i = 0; i < data.slides.size(); ++i)
    if (data.slides[i]->annotated()) options.slides.push_back(i);
  const Feed feed(experiment, *registry, data, options);
  int windows = request.windows;
  if (request.validation && feed.count() > 0) windows = static_cast<int>(std::min<std::int64_t>(windows, feed.count()));
  write_png(request.out, draw_preview(feed, experiment, request.epoch, windows).view());
  std::cout << request.out.string() << ": " << windows << " windows of " << experiment.data.tile << " px from "
            << options.slides.size() << " slides at factor " << experiment.data.factor << "\n";
}

void add_data(CLI::App& app, int& exit) {
  auto* data = app.add_subcommand("data", "Look at what a model is fed with");
  data->require_subcommand(1);
  auto* command =
      data->add_subcommand("preview", "One picture of sampled windows as the model will see them, labels outlined");
  const auto request = std::make_shared<PreviewRequest>();
  command->add_option("experiment", request->experiment, "Experiment file (TOML)")->required();
  command->add_option("--out", request->out, "PNG to write")->required();
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
}

}  // namespace

NEPHRON_COMMAND("data", 45, add_data)

}  // namespace nephron::host
