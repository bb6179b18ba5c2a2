#include <cstdio>
#include <memory>

#include <host/cli/command.hpp>
#include <host/inference/model_export.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {
namespace {

int run_export(const ModelExportRequest& request) {
  for (const ExportedModel& model : export_models(request)) {
    std::printf("fold %d: %s\n", model.fold, model.folder.c_str());
    if (!model.no_smp.empty()) print_error("  loader.py cannot build it: " + model.no_smp + "\n");
    if (!model.no_torchscript.empty()) print_error("  no TorchScript: " + model.no_torchscript + "\n");
  }
  return Exit::done;
}

void add_model_export(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("export", "Write a run's models for Python (SMP, ONNX, TorchScript)");
  const auto request = std::make_shared<ModelExportRequest>();
  command
      ->add_option("RUN", request->run,
                   "Run folder (runs/EXPERIMENT/DATE-ID), runs/EXPERIMENT for its latest, or a fold's folder")
      ->required();
  command
      ->add_option("--out", request->out,
                   "Folder for weights, model.json, loader.py; of several folds, for a folder each")
      ->required();
  command->add_option("--fold", request->fold, "One fold, or \"all\" [the fold that RUN names, else all]");
  command->add_option("--checkpoint", request->checkpoint, "Which weights")
      ->check(CLI::IsMember({"best", "last", "average"}))
      ->capture_default_str();
  command->add_flag("!--no-torchscript", request->torchscript, "Leave TorchScript out");
  command->add_flag("--overwrite", request->overwrite, "Replace files that are there");
  command->add_option("--plugin", request->plugins, "A plugin file, besides those of the experiment")
      ->check(CLI::ExistingFile);
  command->callback([request, &exit] { exit = run_export(*request); });
}

NEPHRON_COMMAND("export", 62, add_model_export)

}  // namespace
}  // namespace nephron::host
