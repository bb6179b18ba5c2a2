#include <cstdio>
#include <memory>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/predict/dataset_export.hpp>
#include <host/util/counted.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {
namespace {

struct ExportOptions {
  std::filesystem::path experiment;
  std::vector<std::string> overrides;
  std::vector<std::filesystem::path> plugins;
  ExportRequest request;
};

int run_export(const ExportOptions& options) {
  std::unique_ptr<Registry> registry;
  PluginSearch search;
  search.command_line = options.plugins;
  Experiment experiment = load_experiment(options.experiment, options.overrides, search, registry);
  const ExportOutcome outcome = export_datasets(std::move(experiment), *registry, options.request);
  std::printf("wrote %s, %d with a mask: %s\n", counted(static_cast<std::uint64_t>(outcome.slides), "slide").c_str(),
              outcome.masks, options.request.out.c_str());
  for (const std::string& problem : outcome.problems) print_error("left out: " + problem + "\n");
  return outcome.problems.empty() ? Exit::done : Exit::failed;
}

void add_export(CLI::App& app, int& exit) {
  const auto groups = app.get_subcommands([](CLI::App* group) { return group->get_name() == "data"; });
  CLI::App* data = groups.empty() ? nullptr : groups.front();
  if (data == nullptr) {
    data = app.add_subcommand("data", "Look at an experiment's data");
    data->require_subcommand(1);
  }
  CLI::App* const command = data->add_subcommand("export", "Write an experiment's slides as PNG pictures and masks");
  auto options = std::make_shared<ExportOptions>();
  command->add_option("EXPERIMENT", options->experiment, "Experiment file")->required()->check(CLI::ExistingFile);
  command->add_option("--out", options->request.out, "Folder for images/ and masks/")->required();
  command->add_option("--dataset", options->request.dataset, "Name or type of one of its datasets [all]");
  command->add_option("--factor", options->request.factor, "Reduction on the way")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--set", options->overrides, "KEY=VALUE in place of what the file says");
  command->add_option("--plugin", options->plugins, "A plugin file, besides those of the experiment")
      ->check(CLI::ExistingFile);
  command->add_flag("--overwrite", options->request.overwrite, "Replace files that are there");
  command->callback([options, &exit] { exit = run_export(*options); });
}

// After everything else: the group "data" is made by whoever comes first.
NEPHRON_COMMAND("data export", 900, add_export)

}  // namespace
}  // namespace nephron::host
