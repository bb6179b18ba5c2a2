// nephron rerun, nephron runs gc.
#include <cstdio>
#include <memory>

#include <host/cli/command.hpp>
#include <host/cli/light/runs_options.hpp>
#include <host/replay/garbage.hpp>
#include <host/replay/rerun.hpp>
#include <host/util/as_usage.hpp>
#include <host/util/counted.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

struct RerunOptions {
  RunsOptions places;
  std::string run;
  RerunRequest request;
};

/// It goes on as `train` of another program: the same process, so that Ctrl-C and exit codes are that one's.
[[noreturn]] void rerun(RerunOptions& o) {
  o.request.run = as_usage([&] { return o.places.run(o.run); });
  if (o.places.named.size() == 1) o.request.runs = o.places.named.front();
  const std::vector<std::string> command = rerun_command(o.request);
  take_threads_of(o.request);
  become(command);
}

void add_rerun(CLI::App& app, int&) {
  CLI::App* const command =
      app.add_subcommand("rerun", "Train a run again, with the program and plugins that it was made with");
  const auto o = std::make_shared<RerunOptions>();
  command->add_option("RUN", o->run, "A run's folder, its id, NAME@latest or NAME@best")->required();
  command->add_option("--set", o->request.overrides, "Change a key of its experiment: train.batch=4; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("KEY=VALUE");
  command->add_option("--fold", o->request.fold, "Number of the fold that is held out, or \"all\" [as the run]");
  command->add_option("--device", o->request.device, "cpu, cuda, cuda:N, or auto [as the run]");
  o->places.add_to(*command);
  command->footer("The new run goes beside the old one, or where one --runs DIR says.");
  command->add_flag("--trust", o->request.trust, "Run a program and plugins that another user has kept");
  command->add_flag("--anyway", o->request.anyway, "Though slides, masks or weights are not as they were");
  command->callback([o] { rerun(*o); });
}

// ---- gc

struct GarbageOptions {
  RunsOptions places;
  bool dry_run = false;
};

std::string size_text(std::int64_t bytes) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

void collect(const GarbageOptions& o) {
  for (const fs::path& root : o.places.roots()) {
    const Garbage found = collect_garbage(root, o.dry_run);
    std::string text = printable_name(root.string()) + ": " + (o.dry_run ? "would remove " : "removed ") +
                       counted(found.objects.size(), "file") + " (" + size_text(found.bytes) + ") and " +
                       counted(found.trees.size(), "program") + " laid out for reruns; " + counted(found.kept, "file") +
                       " stay";
    if (found.young > 0) text += ", " + std::to_string(found.young) + " of them for an hour, as no run names them";
    print(text + "\n");
  }
}

void add_gc(CLI::App& app, int&) {
  CLI::App* const runs = app.get_subcommand("runs");
  CLI::App* const command =
      runs->add_subcommand("gc", "Remove programs and plugins that no run names any more, nor any in the trash");
  const auto o = std::make_shared<GarbageOptions>();
  o->places.add_to(*command);
  command->add_flag("--dry-run", o->dry_run, "Only say what would go");
  command->callback([o] { collect(*o); });
}

}  // namespace

NEPHRON_COMMAND("rerun", 31, add_rerun)
NEPHRON_COMMAND("runs gc", 43, add_gc)  // after the group that it belongs to

}  // namespace nephron::host
