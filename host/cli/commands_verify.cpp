// nephron verify: does a run come out again, bit by bit?
#include <memory>

#include <host/cli/command.hpp>
#include <host/cli/named_run.hpp>
#include <host/replay/rerun.hpp>
#include <host/train/verify.hpp>
#include <host/util/child_process.hpp>

namespace nephron::host {

namespace {

struct VerifyOptions {
  VerifyRequest request;
  bool snapshot = false, trust = false;
};

/// The same command with the run's own program, which takes all options but these.
[[noreturn]] void become_the_runs_own(const VerifyOptions& o) {
  const std::filesystem::path run = RunFolder::open(o.request.run).folder();
  std::vector<std::string> command = own_command();
  const std::filesystem::path program = lay_out_program(run, o.trust);
  command.front() = (program / "bin" / "nephron").string();
  std::erase_if(command, [](const std::string& word) { return word == "--snapshot" || word == "--trust"; });
  const std::vector<std::string> plugins = plugin_options(run, program);
  command.insert(command.end(), plugins.begin(), plugins.end());
  become(command);
}

void add_verify(CLI::App& app, int& exit) {
  CLI::App* const command =
      app.add_subcommand("verify", "Train a run again beside what its steps left: bit-equal, or where it diverges");
  const auto o = std::make_shared<VerifyOptions>();
  VerifyRequest& request = o->request;
  command->add_option("RUN", request.run, "A run's folder or a fold's, its id, NAME@latest or NAME@best")->required();
  command->add_option("--fold", request.fold, "Which fold [the first that left digests]")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--steps", request.steps, "So many steps at most [all]")->check(CLI::PositiveNumber);
  command->add_option("--from", request.from, "Begin at the kept checkpoint at or before this step [the beginning]")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--set", request.overrides,
                   "Change a key of the experiment: what would be another one; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("KEY=VALUE");
  command->add_option("--plugin", request.plugins, "A plugin file to load besides; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--threads", request.threads, "Of the computing part [as many as the run had]")
      ->check(CLI::PositiveNumber);
  command->add_option("--device", request.device, "cpu, cuda, cuda:N, or auto [as the run]");
  command->add_flag("--drift", request.drift,
                    "Train to the end though it differs, and set the drift of the Dice beside that between seeds");
  command->add_flag("--json", request.json, "Print the verdict as JSON");
  CLI::Option* const snapshot =
      command->add_flag("--snapshot", o->snapshot, "With the program and plugins that the run was made with");
  command->add_flag("--trust", o->trust, "Run a program and plugins that another user has kept")->needs(snapshot);
  command->callback([o, &exit] {
    require_named_run(o->request.run);
    if (o->snapshot) become_the_runs_own(*o);
    exit = verify(o->request);
  });
}

}  // namespace

NEPHRON_COMMAND("verify", 32, add_verify)

}  // namespace nephron::host
