#include <memory>

#include <host/cli/command.hpp>
#include <host/runs/run.hpp>
#include <host/runs/run_name.hpp>
#include <host/view/view.hpp>

namespace nephron::host {
namespace {

void add_view(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("view", "Look at slides, predictions and annotations in the browser");
  command->footer(
      "Examples:\n"
      "  nephron view slide.svs --annotations slide.geojson    a slide with outlines\n"
      "  nephron view OUT-A OUT-B                              two predictions, over the slides they were made of\n"
      "  nephron view slides/ submission.csv                   a submission over slides\n"
      "  nephron view runs/mine OUT                            with the truth of the run's datasets\n"
      "  nephron view store                                    prepared slides with their labels\n"
      "What you draw is saved as FOLDER/SLIDE.json (--draw-into FOLDER), which datasets read. \"?\" in the page lists "
      "its\n"
      "keys. The address holds a random token; without it nothing is answered.");
  const auto request = std::make_shared<ViewRequest>();
  command
      ->add_option(
          "WHAT", request->wish.what,
          "Slides, folders of slides, predictions (the --out of nephron predict), runs, stores, and at most four "
          "predictions and submission CSVs")
      ->required();
  command
      ->add_option("--annotations", request->wish.annotations,
                   "The truth: SLIDE.geojson, .json or a mask, a folder of such files, or a CSV of run lengths; may be "
                   "repeated")
      ->allow_extra_args(false)
      ->check(CLI::ExistingPath);
  command->add_option("--draw-into", request->drawings, "Folder in which drawings are saved, as SLIDE.json")
      ->capture_default_str();
  command->add_option("--port", request->port, "Port to listen at [any free one]")->check(CLI::Range(1, 65535));
  command->add_option("--host", request->host, "Address to listen at; others than 127.0.0.1 can be reached by others")
      ->capture_default_str();
  command->add_option("--mpp", request->mpp, "Microns per pixel of slides that do not say it")
      ->check(CLI::Range(0.001, 1000.0));
  command->add_option("--plugin", request->wish.plugins, "A plugin file to use besides; may be repeated")
      ->allow_extra_args(false)
      ->check(CLI::ExistingFile);
  command->callback([request, &exit] {
    for (std::filesystem::path& what : request->wish.what)  // a run may be given by its name
      if (std::error_code no; may_name_run(what.string()) && !std::filesystem::exists(what, no))
        what = RunFolder::open(what).folder();
    view(*request);
    exit = Exit::done;
  });
}

NEPHRON_COMMAND("view", 45, add_view)

}  // namespace
}  // namespace nephron::host
