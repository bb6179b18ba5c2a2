#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/data/store_slides.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

struct PrepareRequest {
  std::filesystem::path experiment;
  std::vector<std::string> set;
  std::vector<std::filesystem::path> plugins;
  std::filesystem::path store;
  std::vector<int> factors;
  StoreRequest how;
  bool json = false;
};

int prepare_command(const PrepareRequest& request) {
  PluginSearch search;
  search.command_line = request.plugins;
  std::unique_ptr<Registry> registry;
  Experiment experiment = load_experiment(request.experiment, request.set, search, registry);
  if (!request.store.empty()) experiment.data.store = std::filesystem::absolute(request.store);
  if (experiment.data.store.empty())
    throw Error(request.experiment.string() + " names no store to prepare slides in",
                "set store = \"FOLDER\" in its [data], or give --store FOLDER");
  experiment.data.factors.insert(experiment.data.factors.end(), request.factors.begin(), request.factors.end());
  const Listing listing(experiment, *registry);
  if (request.how.strict && !listing.problems().empty()) throw Error(listing.problems().front());
  StoreRequest how = request.how;
  how.measure = true;
  StoreOutcome outcome = prepare_store(listing, how);
  outcome.problems.insert(outcome.problems.begin(), listing.problems().begin(), listing.problems().end());
  const std::string store = experiment.data.store.string();
  if (request.json) {
    const nlohmann::ordered_json json{{"store", store},
                                      {"prepared", outcome.made},
                                      {"pictures", outcome.pictures},
                                      {"up_to_date", outcome.kept},
                                      {"problems", outcome.problems}};
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    for (const std::string& problem : outcome.problems) log().error(problem);
    std::printf("%s: %s, %d up to date, %zu failed\n", store.c_str(), outcome.made_text().c_str(), outcome.kept,
                outcome.problems.size());
  }
  return outcome.problems.empty() ? Exit::done : Exit::failed;
}

void add_prepare(CLI::App& app, int& exit) {
  auto* command = app.add_subcommand("prepare", "Reduce the slides of an experiment once and keep them in its store");
  const auto request = std::make_shared<PrepareRequest>();
  command->add_option("experiment", request->experiment, "Experiment file (TOML)")->required();
  command->add_option("--only", request->how.only, "Id of a slide; may be repeated")
      ->allow_extra_args(false)
      ->type_name("ID");
  command
      ->add_option_function<std::string>(
          "--share", [request](const std::string& text) { request->how.share = WorkShare::parse(text, "--share"); },
          "Only the K-th of N shares of the slides, for N processes, also on other machines")
      ->type_name("K/N");
  command->add_option("--jobs", request->how.jobs, "Threads; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_option("--store", request->store, "Folder of prepared slides, in place of the experiment's data.store");
  command->add_option("--factors", request->factors, "Reductions to prepare besides the experiment's: 1,2,4")
      ->delimiter(',')
      ->check(CLI::Range(1, 64));
  command->add_flag("--verify", request->how.verify,
                    "Notice changed sources by their content too, not by size and time alone");
  command->add_flag("--strict", request->how.strict, "Stop at the first slide that cannot be prepared");
  command->add_flag("--json", request->json, "The outcome as JSON");
  command->add_option("--set", request->set, "KEY=VALUE, laid upon the file; may be repeated")->allow_extra_args(false);
  command->add_option("--plugin", request->plugins, "A plugin file to use besides; may be repeated")
      ->allow_extra_args(false);
  command->callback([request, &exit] { exit = prepare_command(*request); });
}

}  // namespace

NEPHRON_COMMAND("prepare", 25, add_prepare)

}  // namespace nephron::host
