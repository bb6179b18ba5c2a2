#include <cstdio>
#include <memory>

#include <host/cli/command.hpp>
#include <host/pictures/png.hpp>
#include <host/plot/chart_picture.hpp>
#include <host/plot/run_curves.hpp>
#include <host/runs/run.hpp>
#include <host/util/command_output.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {
namespace {

struct PlotOptions {
  PlotRequest request;
  std::filesystem::path out;
  int width = 1600;
  bool overwrite = false;
};

int write_plot(const PlotOptions& options) {
  const std::string ending = options.out.extension().string();
  if (ending != ".png" && ending != ".svg")
    throw UsageError(options.out.string() + ": a plot is a .png or a .svg; its name must end so");
  std::vector<std::filesystem::path> inputs;
  for (const auto& run : options.request.runs) {
    const RunFolder folder = RunFolder::open(run);
    inputs.push_back(folder.experiment());
    for (const int k : folder.folds()) inputs.push_back(folder.fold(k).metrics());
  }
  const CommandOutput output(options.out, options.overwrite, inputs);
  const Chart chart = plot_of(options.request);
  if (ending == ".svg") output.write(chart_svg(chart, options.width));
  else output.prepare(), write_png(options.out, chart_picture(chart, options.width).view());
  std::printf("%s\n", std::filesystem::absolute(options.out).lexically_normal().c_str());
  return Exit::done;
}

void add_plot(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("plot", "Draw curves of runs over each other as one picture");
  command->footer(
      "Examples:\n"
      "  nephron plot runs/mine --out dice.svg                      the folds of a run, their mean and range\n"
      "  nephron plot runs/a runs/b --metric val_loss --out b.png   two experiments, the latest run of each\n"
      "Runs of one experiment that differ in nothing but their seed are joined as folds are; what else differs stands\n"
      "in the legend.");
  const auto options = std::make_shared<PlotOptions>();
  command->add_option("RUN", options->request.runs, "Runs, folds of runs, folders of an experiment's runs")->required();
  command->add_option("--out", options->out, "The picture: .png or .svg")->required();
  command->add_option("--metric", options->request.metric,
                      "Which figure of metrics.jsonl [dice, which the best weights are chosen by]");
  command->add_option("--title", options->request.title, "What stands above it [made of the metric]");
  command->add_option("--width", options->width, "Pixels across; 5/8 as many high")
      ->check(CLI::Range(320, 8000))
      ->capture_default_str();
  command->add_flag("--overwrite", options->overwrite, "Replace the picture");
  command->callback([options, &exit] { exit = write_plot(*options); });
}

NEPHRON_COMMAND("plot", 51, add_plot)

}  // namespace
}  // namespace nephron::host
