#include <cstdio>
#include <memory>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/config/run_experiment.hpp>
#include <host/data/fold_slides.hpp>
#include <host/data/listed_files.hpp>
#include <host/predict/prediction_record.hpp>
#include <host/report/report.hpp>
#include <host/runs/run.hpp>
#include <host/util/command_output.hpp>
#include <host/util/log.hpp>

namespace nephron::host {
namespace {

struct ReportOptions {
  ReportRequest request;
  std::filesystem::path out;
  bool overwrite = false;
};

/// What a page must not replace: all files of a folder but earlier pages.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  std::error_code failed;
  for (std::filesystem::recursive_directory_iterator it(folder, failed), end; !failed && it != end;
       it.increment(failed))
    if (it->path().extension() != ".html") out.push_back(it->path());
  return out;
}

/// Files of the slides that a run was made of. Of datasets that cannot be asked any more the run's own record of its
/// slides says what there was, though not where their annotations are.
std::vector<std::filesystem::path> files_of_slides(const RunFolder& run) {
  std::vector<std::filesystem::path> out;
  for (const int k : run.folds()) try {
      const FoldSlidesRecord slides = read_fold_slides(run.fold(k).slides());
      for (const auto* side : {&slides.trained_on, &slides.held_out})
        for (const SlideEntry& slide : *side) out.push_back(slide.source);
    } catch (const Error&) {  // the page will say what is damaged
    }
  try {
    std::unique_ptr<Registry> registry;
    const Experiment experiment = load_run_experiment(run.experiment(), {}, {}, registry);
    const std::vector<std::filesystem::path> listed = files_of(Listing(experiment, *registry));
    out.insert(out.end(), listed.begin(), listed.end());
  } catch (const std::exception& e) {
    log().debug(std::string("the datasets of the run cannot be asked for their files: ") + e.what());
  }
  return out;
}

/// Pictures and masks that a prediction was made of.
void require_no_picture(CommandOutput& output, const std::filesystem::path& prediction) {
  output.require_none_of(files_in(prediction));
  const PredictionRecord record = read_prediction(prediction);
  for (const std::filesystem::path& folder : {record.images, record.masks})
    if (!folder.empty()) output.require_none_of(files_in(folder));
}

/// Inputs matter where something would be replaced alone; a new page needs none of the run's plugins.
void require_no_input(CommandOutput& output, const ReportRequest& request) {
  if (!std::filesystem::exists(output.path())) return;
  output.require_none_of(files_of_slides(RunFolder::open(request.run)));
  for (const auto& folder : request.predictions) require_no_picture(output, folder);
}

int write_report(const ReportOptions& options) {
  CommandOutput output(options.out, options.overwrite, files_in(options.request.run));
  require_no_input(output, options.request);
  if (!options.request.validation.empty()) output.require_none_of(files_in(options.request.validation));
  output.write(report_html(options.request));
  std::printf("%s\n", std::filesystem::absolute(options.out).lexically_normal().c_str());
  return Exit::done;
}

void add_report(CLI::App& app, int& exit) {
  CLI::App* const command =
      app.add_subcommand("report",
                         "Write a run as one HTML page: scores out of fold, worst and best objects, "
                         "curves, configuration");
  command->footer(
      "Examples:\n"
      "  nephron report runs/mine --out report.html                     training and configuration, and what\n"
      "                                                                 nephron validate runs/mine measured\n"
      "  nephron report runs/mine --predictions OUT --out report.html   with pictures of a prediction besides\n"
      "The page needs no network and no other file; opened in a browser it sorts its tables and leads to a viewer.");
  auto options = std::make_shared<ReportOptions>();
  command->add_option("RUN", options->request.run, "Run folder, or a fold's folder in it")->required();
  command->add_option("--out", options->out, "The page")->required();
  command
      ->add_option("--predictions", options->request.predictions,
                   "Folder that nephron predict wrote: adds pictures and Dice; may be repeated, once a fold")
      ->allow_extra_args(false)
      ->check(CLI::ExistingDirectory);
  command
      ->add_option("--pictures", options->request.pictures,
                   "Pictures shown of each prediction; the worst where there are more")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  command
      ->add_option("--validation", options->request.validation,
                   "Folder that nephron validate wrote, in place of RUN/validation")
      ->check(CLI::ExistingDirectory);
  command
      ->add_option("--gallery", options->request.gallery,
                   "Objects shown in each row of the gallery: found where nothing is, missed, matched worst and best")
      ->check(CLI::Range(0, 200))
      ->capture_default_str();
  command->add_option("--side", options->request.side, "Longer side of a shown picture, px")
      ->check(CLI::Range(64, 8192))
      ->capture_default_str();
  command->add_flag("--overwrite", options->overwrite, "Replace the page");
  command->callback([options, &exit] { exit = write_report(*options); });
}

NEPHRON_COMMAND("report", 50, add_report)

}  // namespace
}  // namespace nephron::host
