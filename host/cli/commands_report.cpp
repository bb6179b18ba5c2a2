#include <cstdio>
#include <memory>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/report/report.hpp>
#include <host/util/command_output.hpp>

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

int write_report(const ReportOptions& options) {
  CommandOutput output(options.out, options.overwrite, files_in(options.request.run));
  for (const auto& folder : options.request.predictions) output.require_none_of(files_in(folder));
  output.write(report_html(options.request));
  std::printf("%s\n", std::filesystem::absolute(options.out).lexically_normal().c_str());
  return Exit::done;
}

void add_report(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("report", "Write a run as one HTML page: curves, Dice, pictures");
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
  command->add_option("--side", options->request.side, "Longer side of a shown picture, px")
      ->check(CLI::Range(64, 8192))
      ->capture_default_str();
  command->add_flag("--overwrite", options->overwrite, "Replace the page");
  command->callback([options, &exit] { exit = write_report(*options); });
}

NEPHRON_COMMAND("report", 50, add_report)

}  // namespace
}  // namespace nephron::host
