#include <cstdio>
#include <memory>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/cli/metric_options.hpp>
#include <host/cli/named_run.hpp>
#include <host/util/printable.hpp>
#include <host/validate/validate.hpp>

namespace nephron::host {
namespace {

struct ValidateOptions {
  ValidateRequest request;
  bool json = false, fill_holes = false;
};

int run_validate(ValidateOptions& options) {
  if (options.fill_holes) options.request.objects.fill_holes = ObjectOptions::every_hole;
  require_named_run(options.request.run);
  const ValidateOutcome outcome = validate_run(options.request);
  if (options.json) {
    std::printf("%s", outcome.json().c_str());
  } else {
    print(outcome.table());
    std::printf("measured %zu %s", outcome.slides.size(), outcome.slides.size() == 1 ? "slide" : "slides");
    if (outcome.measured_before > 0)
      std::printf(", %lld of them before", static_cast<long long>(outcome.measured_before));
    if (!outcome.failures.empty())
      std::printf(", %zu failed (why stands above, and in scores.json)", outcome.failures.size());
    std::printf(": %s\n", outcome.folder.c_str());
  }
  return outcome.failures.empty() ? Exit::done : Exit::failed;
}

void add_validate(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("validate", "Score a run on the slides that its folds held out");
  const auto options = std::make_shared<ValidateOptions>();
  ValidateRequest& request = options->request;
  command
      ->add_option("RUN", request.run,
                   "Run: its folder, runs/EXPERIMENT for the latest, a fold's folder, or a name (docs/runs.md)")
      ->required();
  command->add_option("--out", request.out, "Folder for scores.json and the tables [RUN/validation]");
  add_metric_options(*command, request.metrics, request.set);
  command->add_option("--threshold", request.threshold, "That metrics measure at [the experiment's, or 0.5]")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--min-area", request.objects.least_area, "Objects of fewer pixels are dropped")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->capture_default_str();
  command->add_flag("--fill-holes", options->fill_holes, "Holes of objects belong to them");
  command->add_option("--save", request.save, "PNGs of the slides too: probabilities, masks")
      ->delimiter(',')
      ->check(CLI::IsMember({"probabilities", "masks"}));
  command->add_option("--fold", request.fold, "One fold, or \"all\" [the fold that RUN names, else all]");
  command->add_option("--checkpoint", request.checkpoint, "Which weights")
      ->check(CLI::IsMember({"best", "last", "average"}))
      ->capture_default_str();
  command->add_option("--device", request.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  command->add_option("--precision", request.precision, "Of the convolutions")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16"}))
      ->capture_default_str();
  command->add_option("--tta", request.tta, "Flips to average over, comma-separated [the experiment's]")
      ->delimiter(',')
      ->check(CLI::IsMember({"identity", "flip_x", "flip_y", "flip_xy"}));
  command->add_flag("--json", options->json, "Print scores.json in place of a table");
  command->add_flag("--all-tiles", request.all_tiles,
                    "Predict tiles of nothing but glass too; without it they have probability 0 in slides of more than "
                    "64 tiles");
  CLI::Option* const go_on = command->add_flag(
      "--continue", request.go_on, "Go on with a validation that was interrupted: slides that were measured stay");
  command->add_flag("--overwrite", request.overwrite, "Replace what is in --out")->excludes(go_on);
  command->add_option("--plugin", request.plugins, "A plugin file, besides those of the experiment")
      ->check(CLI::ExistingFile);
  command->callback([options, &exit] { exit = run_validate(*options); });
}

NEPHRON_COMMAND("validate", 41, add_validate)

}  // namespace
}  // namespace nephron::host
