// nephron sweep: many trials of one experiment, and what is known of them.
#include <cstdio>
#include <memory>
#include <optional>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/html/html.hpp>
#include <host/queue/job.hpp>
#include <host/sweep/sweep_queue.hpp>
#include <host/sweep/sweep_result.hpp>
#include <host/sweep/sweep_trouble.hpp>
#include <host/sweep/sweep_words.hpp>
#include <host/sweep/sweep_worker.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/listed.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/shell_word.hpp>
#include <host/util/temporary_folder.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

/// What of the machine a process takes.
struct WorkOptions {
  int jobs = 1;
  std::vector<std::string> devices;
  std::string device = "auto";

  void add_to(CLI::App& command) {
    CLI::Option* const of_device = command.add_option("--device", device, "Of every run: cpu, cuda, cuda:N, or auto")
                                       ->capture_default_str()
                                       ->take_last();
    CLI::Option* const of_jobs =
        command.add_option("--jobs", jobs, "Runs that are trained at a time, each with its share of the cores")
            ->check(CLI::Range(1, 256))
            ->capture_default_str()
            ->take_last();
    command.add_option("--devices", devices, "A run at a time on each of these: cuda:0,cuda:1")
        ->delimiter(',')
        ->type_name("DEVICE,...")
        ->allow_extra_args(false)
        ->excludes(of_device)
        ->excludes(of_jobs);
  }
  JobPlan plan() const { return JobPlan::of(devices, jobs, device); }
};

struct SweepOptions {
  SweepRequest request;
  WorkOptions work;
  bool dry = false, queue = false;
};

std::string resume_command(const SweepFolder& sweep, const JobPlan& plan) {
  return "nephron sweep resume " + shell_word(sweep.path().string()) +
         (plan.several() || plan.by_device ? " " + plan.option() : "");
}

/// `queued`: a job of the queue, which goes on by itself whenever it gets its turn: a person's stop holds.
int work_and_tell(const SweepFolder& sweep, const JobPlan& plan, bool queued) {
  if (!queued) go_on_after_stop(sweep);
  log().info("sweep " + sweep.path().string() + ": " + sweep_words(sweep.plan()));
  const std::string go_on = resume_command(sweep, plan);
  set_last_words(
      ("\nended at once: what runs had not saved is lost; from their last checkpoints on: " + go_on + "\n").c_str());
  const SweepEnd end = work_on_sweep(sweep, plan, queued);
  if (end == SweepEnd::later) {
    log().info("others work, and what they find may give more to do: this job ends, and comes again later");
    return exit_nothing_yet;
  }
  print(status_text(sweep, result_of(sweep, end == SweepEnd::done)));
  std::fflush(stdout);
  switch (end) {
    case SweepEnd::done:
      return Exit::done;
    case SweepEnd::later:  // told above
      break;
    case SweepEnd::left:
      log().info("others do what is left: this job is over");
      return Exit::done;
    case SweepEnd::hopeless:
      throw Error("the first trials failed one after another, and none has a score: this sweep is not gone on with",
                  "when what failed is mended: " + go_on + " --retry-failed");
    case SweepEnd::stopped:
      if (!queued) break;
      log().warning("stopped: this job is over; nephron submit, or " + go_on + ", goes on with the sweep");
      return Exit::done;
    case SweepEnd::interrupted:
      break;
  }
  log().warning(std::string(end == SweepEnd::stopped ? "stopped" : "interrupted") + "; go on with: " + go_on);
  return Exit::interrupted;
}

int print_trials(const SweepRequest& request) {
  const TemporaryFolder trials("nephron-sweep-");
  const SweepPlan plan = prepare_sweep(request, trials.folder());
  SweepFolder::require_place(request, plan);
  print(sweep_words(plan) + "\n");
  for (std::size_t t = 0; t < plan.trials.size(); ++t) {
    std::string line = std::to_string(t) + ":";
    for (const auto& [key, value] : plan.trials[t].settings) line += " --set " + shell_word(key + "=" + value);
    print(line + "\n");
  }
  return Exit::done;
}

int begin(const SweepOptions& o) {
  if (o.dry) return print_trials(o.request);
  const SweepFolder sweep = SweepFolder::create(o.request);
  if (!o.queue) return work_and_tell(sweep, o.work.plan(), false);
  for (const std::string& id : put_in_line(sweep, {}, o.work.jobs)) print(id + "\n");
  log().info(sweep.path().string() + " is in line; nephron sweep status " + shell_word(sweep.path().string()) +
             " shows how far it is");
  return Exit::done;
}

struct FolderOptions {
  fs::path sweep, out;
  WorkOptions work;
  bool json = false, overwrite = false, retry = false, queued = false;
};

void add_folder(CLI::App& command, FolderOptions& o) {
  command.add_option("SWEEP", o.sweep, "Its folder (runs/NAME-sweep), or NAME")->required();
}

void add_status(CLI::App& sweep) {
  const auto o = std::make_shared<FolderOptions>();
  CLI::App* const command = sweep.add_subcommand("status", "Trials, scores, what failed, what was confirmed");
  add_folder(*command, *o);
  command->add_flag("--json", o->json, "Print JSON");
  command->callback([o] {
    const SweepFolder folder = SweepFolder::open(o->sweep);
    const SweepResult result = result_of(folder, true);
    if (o->json) std::fputs(status_json(folder, result).c_str(), stdout);
    else print(status_text(folder, result));
  });
}

void add_resume(CLI::App& sweep, int& exit) {
  const auto o = std::make_shared<FolderOptions>();
  CLI::App* const command =
      sweep.add_subcommand("resume", "Go on; any number of processes may, on any machine that sees the folder");
  add_folder(*command, *o);
  o->work.add_to(*command);
  command->add_flag("--queued", o->queued)->group("");  // of the queue's jobs: a person's stop holds
  command->add_flag("--retry-failed", o->retry, "Begin again what failed");
  command->callback([o, &exit] {
    const SweepFolder folder = SweepFolder::open(o->sweep);
    if (o->queued && folder.stop_asked()) {
      log().warning("a stop was asked for: this job does nothing; nephron submit goes on with the sweep");
      return;
    }
    if (o->retry) log().info(counted(forget_failures(folder.path()), "run") + " that failed will be tried again");
    exit = work_and_tell(folder, o->work.plan(), o->queued);
  });
}

void add_stop(CLI::App& sweep) {
  const auto o = std::make_shared<FolderOptions>();
  CLI::App* const command = sweep.add_subcommand("stop", "Ask all its processes to stop where their runs have saved");
  add_folder(*command, *o);
  command->callback([o] {
    const SweepFolder folder = SweepFolder::open(o->sweep);
    const std::vector<std::string> out = stop_sweep(folder);
    if (!out.empty())
      print(counted(out.size(), "job") + " of it " + (out.size() == 1 ? "is" : "are") + " out of the line: " +
            listed(out) + "; nephron sweep resume puts " + (out.size() == 1 ? "it" : "them") + " in line again\n");
    print("its processes stop within seconds, once their runs have saved; go on with: nephron sweep resume " +
          shell_word(folder.path().string()) + "\n");
  });
}

void add_page(CLI::App& sweep) {
  const auto o = std::make_shared<FolderOptions>();
  CLI::App* const command =
      sweep.add_subcommand("page", "A page that opens from disk: table, parallel coordinates, rungs");
  add_folder(*command, *o);
  command->add_option("--out", o->out, "The page to write: page.html")->required();
  command->add_flag("--overwrite", o->overwrite, "Replace the page that exists");
  command->callback([o] {
    if (!is_page(o->out)) throw UsageError(o->out.string() + " is no page: a name that ends in .html was expected");
    const SweepFolder folder = SweepFolder::open(o->sweep);
    const CommandOutput page(o->out, o->overwrite);
    page.write(sweep_page(folder, result_of(folder, true)));
    print(o->out.string() + "\n");
  });
}

void add_sweep(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("sweep", "Train many trials of an experiment, and find the best");
  const auto o = std::make_shared<SweepOptions>();
  CLI::Option* const file = command->add_option("FILE", o->request.file, "An experiment with a section [sweep]");
  command->add_option("--set", o->request.overrides, "Change a key of the file: sweep.trials=9; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("KEY=VALUE");
  command->add_option("--runs", o->request.runs, "Folder of the runs")->capture_default_str()->take_last();
  command->add_option("--name", o->request.name, "Of the sweep's folder [the file's, with -sweep]")->take_last();
  command->add_flag("--dry-run", o->dry, "Check all trials and print them");
  command
      ->add_flag("--queue", o->queue,
                 "Put it into this machine's queue: --jobs N processes, each with a GPU of its own")
      ->excludes("--dry-run");
  o->work.add_to(*command);
  for (const char* own : {"--device", "--devices"}) command->get_option("--queue")->excludes(own);
  add_status(*command);
  add_resume(*command, exit);
  add_stop(*command);
  add_page(*command);
  command->require_subcommand(0, 1);
  command->callback([o, command, file, &exit] {
    if (!command->get_subcommands().empty()) {
      if (file->count() > 0) throw CLI::ExtrasError("sweep", {o->request.file.string()});
      return;
    }
    if (file->count() == 0)
      throw CLI::RequiredError("sweep: a file with a section [sweep], or one of status, resume, stop, page,");
    exit = begin(*o);
  });
}

NEPHRON_COMMAND("sweep", 31, add_sweep)

}  // namespace
}  // namespace nephron::host
