// nephron submit: a training, a sweep, or any command, in the line of this machine, or handed to Slurm.
#include <algorithm>
#include <memory>
#include <optional>

#include <sys/stat.h>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/cli/light/runs_options.hpp>
#include <host/cli/light/slurm_options.hpp>
#include <host/cli/light/submitted_run.hpp>
#include <host/queue/change.hpp>
#include <host/queue/host_file.hpp>
#include <host/queue/submit.hpp>
#include <host/runs/run_record.hpp>
#include <host/slurm/slurm_submit.hpp>
#include <host/sweep/sweep_queue.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/pages.hpp>
#include <host/util/printable.hpp>
#include <host/util/shell_word.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

struct SubmitOptions {
  std::vector<std::string> what;
  TrainingOptions training;              ///< `set` and `runs` of a sweep, too
  std::vector<std::string> of_training;  ///< options that were given, and that a training alone takes
  std::string name, gpu_memory, priority = "normal";
  int gpus = -1, cpus = 0, jobs = 0;
  bool resumable = false;
  SlurmOptions slurm;
};

bool is_experiment(const SubmitOptions& o) {
  return o.what.size() == 1 && o.what.front().ends_with(".toml") && fs::exists(o.what.front());
}

/// Commands of nephron that pick up what they left when they are given again.
bool goes_on_again(const std::vector<std::string>& words) {
  if (words.size() < 2 || words[0] != "nephron") return false;
  return words[1] == "prepare" || (words.size() > 2 && words[1] == "sweep" && words[2] == "resume") ||
         (words.size() > 2 && words[1] == "train" && words[2] == "--resume");
}

void require_possible(const SubmitOptions& o) {
  if (o.what.size() == 1 && o.what.front().ends_with(".toml") && !fs::exists(o.what.front()))
    throw UsageError("there is no experiment " + o.what.front(),
                     "nephron submit EXP.toml; a command: nephron submit -- COMMAND...");
  if (o.what.size() > 2 && o.what[0] == "nephron" && o.what[1] == "train" && o.what[2].ends_with(".toml"))
    throw UsageError("a training is put in line by its experiment, so that its run is made now",
                     "nephron submit " + shell_word(o.what[2]) + ", with the options that train would be given");
  if (is_experiment(o) && o.gpus > 1 && !o.training.several_folds() && !o.slurm.asked())
    throw UsageError("one fold trains on one GPU; " + std::to_string(o.gpus) + " train several folds: --fold all",
                     "or one model with several processes: nephron submit --gpus " + std::to_string(o.gpus) +
                         " -- torchrun --no-python --nproc-per-node " + std::to_string(o.gpus) +
                         " nephron train --resume RUN");
}

/// What is asked of a sweep, by `nephron submit SWEEP.toml`. Its folder is made and its trials are checked now. Its
/// jobs are processes that take trials from each other's line, so that any of them may yield or die.
void require_of_sweep(const SubmitOptions& o) {
  if (!o.of_training.empty() || o.resumable)
    throw UsageError((o.resumable ? "--resumable" : o.of_training.front()) + " is not for a sweep",
                     "Its file says what its trials are trained with, and --set KEY=VALUE changes that.");
  if (o.gpus > 1)
    throw UsageError("each process of a sweep has one GPU",
                     "--jobs " + std::to_string(o.gpus) + " puts " + std::to_string(o.gpus) + " of them in line.");
}

void tell_in_line(const SweepFolder& sweep) {
  const std::string folder = shell_word(sweep.path().string());
  log().info(sweep.path().string() + " is in line; nephron sweep status " + folder + " shows how far it is");
}

int submit_sweep(const SubmitOptions& o, const Submission& each) {
  require_of_sweep(o);
  const SweepFolder sweep = SweepFolder::create({o.what.front(), o.training.set, o.training.runs, o.name});
  for (const std::string& id : put_in_line(sweep, each, std::max(1, o.jobs))) print(id + "\n");
  tell_in_line(sweep);
  return Exit::done;
}

// ---- Slurm

void require_possible_in_slurm(const SubmitOptions& o) {
  if (o.priority == "urgent")
    throw UsageError("what goes first in Slurm is not its users' to say",
                     "A partition or a QOS may be: --partition P, --sbatch=--qos=Q.");
  if (o.training.batch == "auto")
    throw UsageError("--batch auto looks at the memory of the machine that trains, which Slurm chooses later",
                     "give --set train.batch=N");
  if (o.slurm.over_slides == 0) {
    if (is_experiment(o) && o.gpus > 1)
      throw UsageError("one fold trains on one GPU, and each fold is a task of its own; --gpus is of each task",
                       "one model with several processes: nephron submit --via slurm --gpus " + std::to_string(o.gpus) +
                           " -- torchrun --no-python --nproc-per-node " + std::to_string(o.gpus) +
                           " nephron train --resume RUN");
    return;
  }
  const auto has = [&](const char* word) { return std::find(o.what.begin(), o.what.end(), word) != o.what.end(); };
  if (o.what.size() < 3 || o.what[0] != "nephron" || (o.what[1] != "prepare" && o.what[1] != "predict"))
    throw UsageError("--over-slides divides the slides of nephron prepare and nephron predict alone",
                     "nephron submit --via slurm --over-slides 8 -- nephron predict RUN --slides ... --out DIR");
  for (const char* const word : {"--continue", "--overwrite", "--share", "--gather", "--only"})
    if (has(word)) throw UsageError(std::string(word) + " does not go with --over-slides", "Leave one of them out.");
}

/// One fold a task, where there are several.
void divide_over_folds(const fs::path& run, SlurmJob& job) {
  const std::vector<int> folds = read_environment(run / "environment.json").folds;
  if (folds.size() < 2) return;
  const auto resume = std::find(job.words.begin(), job.words.end(), "--resume");
  job.words.erase(resume, resume + 2);
  job.words.insert(job.words.end(), {"--share-run", "--resume"});
  job.array = SlurmArray{folds, std::pair((run / "fold-").string(), "")};
}

void divide_over_slides(int tasks, SlurmJob& job) {
  job.array.emplace();
  for (int i = 1; i <= tasks; ++i) job.array->tasks.push_back(i);
  job.array->word.emplace("", "/" + std::to_string(tasks));
  job.words.emplace_back("--share");
}

SlurmRecord hand_over(const SubmitOptions& o, const SlurmJob& job) {
  SlurmRecord record = hand_to_slurm(job);
  if (o.slurm.over_slides == 0 || o.what[1] != "predict") return record;
  // What the tasks have predicted is put together when all are at their end. That needs no GPU.
  SlurmJob last = job;
  last.words.back() = "--gather";
  last.array.reset();
  last.gres.clear();
  return hand_to_slurm_after(std::move(record), std::move(last));
}

SlurmJob slurm_job_of(const SubmitOptions& o) {
  SlurmJob job;
  job.name = o.name;
  job.folder = fs::current_path();
  job.umask = static_cast<int>(::umask(0));
  ::umask(static_cast<mode_t>(job.umask));
  job.cores = o.cpus;
  job.idle = o.priority == "idle";
  o.slurm.apply(o.gpus, job);
  if (o.gpu_memory.empty()) return job;
  const auto bytes = bytes_of(o.gpu_memory);
  if (!bytes) throw UsageError("--gpu-memory " + o.gpu_memory + ": a size such as 6G or 512M was expected");
  job.gpu_bytes = *bytes;
  return job;
}

/// As many tasks of an array as processes of the sweep are wanted: all are the same command.
int submit_sweep_to_slurm(const SubmitOptions& o) {
  require_of_sweep(o);
  require_possible_in_slurm(o);
  require_slurm();
  SlurmJob job = slurm_job_of(o);
  const SweepFolder sweep = SweepFolder::create({o.what.front(), o.training.set, o.training.runs, o.name});
  forget_stop(sweep);
  if (job.name.empty()) job.name = sweep.plan().name;
  job.words = sweep_command(sweep, o.slurm.device_for(job));
  if (job.words.front() == "nephron") job.words.front() = program_file().string();
  job.place = sweep.path() / "slurm";
  job.goes_on = true;
  if (o.jobs > 1) {
    job.array.emplace();
    for (int i = 1; i <= o.jobs; ++i) job.array->tasks.push_back(i);
  }
  try {
    print("slurm:" + hand_to_slurm(job).job + "\n");
  } catch (const Error& e) {
    throw Error(e.what(), (e.hint().empty() ? "" : e.hint() + " ") +
                              "The sweep is there; without Slurm: nephron sweep "
                              "resume " +
                              shell_word(sweep.path().string()));
  }
  tell_in_line(sweep);
  return Exit::done;
}

int submit_to_slurm(const SubmitOptions& o) {
  require_possible_in_slurm(o);
  require_slurm();
  SlurmJob job = slurm_job_of(o);
  std::optional<SubmittedRun> made;
  if (is_experiment(o)) {
    made.emplace(o.what.front(), o.training, o.slurm.device_for(job), o.gpus);
    if (made->exit() != Exit::done) return made->exit();
    job.run = made->folder();
    if (job.name.empty()) job.name = made->name();
    job.words = made->command();
    // Of a node that was given up, the last process may still be dying.
    job.words.insert(job.words.end(), {"--wait-for-run", "300"});
    job.goes_on = true;
    divide_over_folds(job.run, job);
  } else {
    job.words = o.what;
    job.goes_on = o.resumable || goes_on_again(o.what) || o.slurm.over_slides > 0;
    if (goes_on_again(o.what) && o.what[1] == "train" && o.what.size() > 3) job.run = RunsOptions{}.run(o.what[3]);
    if (job.name.empty())
      for (const std::string& word : o.what) job.name += (job.name.empty() ? "" : " ") + shell_word(word);
    job.name.resize(std::min<std::size_t>(job.name.size(), 200));
    if (o.slurm.over_slides > 0) divide_over_slides(o.slurm.over_slides, job);
  }
  if (job.words.front() == "nephron") job.words.front() = program_file().string();
  for (char& c : job.name)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  const SlurmRecord record = hand_over(o, job);
  if (made) made->keep();
  print("slurm:" + record.job + "\n");
  log().info("Slurm has it as " + record.job +
             (record.tasks.empty() ? "" : ", " + counted(record.tasks.size(), "task")) +
             (record.run.empty() ? "" : ": " + record.run.string()) +
             "; nephron queue shows it, nephron logs slurm:" + record.job + " what it says");
  return Exit::done;
}

int submit(const SubmitOptions& o) {
  const bool is_sweep = is_experiment(o) && is_sweep_file(o.what.front(), o.training.set);
  if (!is_sweep) require_possible(o);
  if (!is_sweep && o.jobs > 0) throw UsageError("--jobs is for a sweep alone", "docs/sweeps.md shows what one is.");
  o.slurm.require_asked();
  if (o.slurm.asked()) return is_sweep ? submit_sweep_to_slurm(o) : submit_to_slurm(o);
  Submission out;
  out.name = o.name;
  out.gpus = o.gpus;
  out.cores = o.cpus;
  out.priority = priority_named(o.priority).value();
  if (!o.gpu_memory.empty()) {
    const auto bytes = bytes_of(o.gpu_memory);
    if (!bytes) throw UsageError("--gpu-memory " + o.gpu_memory + ": a size such as 6G or 512M was expected");
    out.gpu_bytes = *bytes;
  }
  const HostFile host = read_host();
  const Request request = request_of(out, host.machine);  // before a run is made
  if (is_sweep) return submit_sweep(o, out);
  std::optional<SubmittedRun> made;
  if (is_experiment(o)) {
    made.emplace(o.what.front(), o.training, device_of(request, host.machine), o.gpus);
    if (made->exit() != Exit::done) return made->exit();
    out.run = made->folder();
    out.first = out.again = made->command();
    if (out.name.empty()) out.name = made->name();
  } else {
    out.first = o.what;
    if (o.resumable || goes_on_again(o.what)) out.again = o.what;
    if (goes_on_again(o.what) && o.what[1] == "train" && o.what.size() > 3) out.run = RunsOptions{}.run(o.what[3]);
  }
  std::string id;
  try {
    id = submit_command(out);
  } catch (const std::exception&) {
    // Where no agent could be started it is in line all the same.
    if (made && job_in_line_for(host.spool, out.run)) made->keep();
    throw;
  }
  if (made) made->keep();
  print(id + "\n");
  log().info("in line as " + id + (out.run.empty() ? "" : ": " + out.run.string()) +
             "; nephron queue shows it, nephron attach " + id + " follows it");
  return Exit::done;
}

void add_submit(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand(
      "submit", "Put a training, a sweep or any command in this machine's queue, or hand it to Slurm");
  const auto o = std::make_shared<SubmitOptions>();
  command->add_option("WHAT", o->what, "An experiment or a sweep; or, behind --, a command: submit -- make figures")
      ->required()
      ->type_name("EXP.toml | SWEEP.toml | -- COMMAND...");
  command->add_option("--gpus", o->gpus, "GPUs that it needs [1 where there are any]")->check(CLI::Range(0, 64));
  command->add_option("--gpu-memory", o->gpu_memory, "Of each GPU: small jobs share one [whole GPUs]")
      ->type_name("SIZE such as 6G");
  command->add_option("--cpus", o->cpus, "Cores [as large a share as of the GPUs]")->check(CLI::Range(1, 1024));
  command->add_option("--priority", o->priority, "idle: when nobody else waits; urgent: first, for who used little")
      ->check(CLI::IsMember({"idle", "normal", "urgent"}))
      ->capture_default_str();
  command->add_option("--name", o->name, "What the queue calls it; of a sweep its folder, too");
  command->add_option("--jobs", o->jobs, "Of a sweep: processes that train its trials, each a job with a GPU [1]")
      ->check(CLI::Range(1, 256));
  command->add_flag("--resumable", o->resumable,
                    "The command saves on SIGTERM, and goes on when it is started again: it may yield to others");
  o->slurm.add_to(*command);
  const char* const of_train = "As of nephron train";
  command->add_option("--fold", o->training.fold, of_train)->capture_default_str()->group("Training");
  command->add_option("--set", o->training.set, of_train)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("KEY=VALUE")
      ->group("Training");
  command->add_option("--plugin", o->training.plugins, of_train)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group("Training");
  command->add_option("--runs", o->training.runs, of_train)->capture_default_str()->group("Training");
  command->add_option("--from", o->training.from, of_train)->type_name("RUN")->group("Training");
  command->add_option("--checkpoint", o->training.checkpoint, of_train)
      ->check(CLI::IsMember({"best", "last", "average"}))
      ->group("Training");
  command->add_flag("--strict", o->training.strict, of_train)->group("Training");
  command->add_option("--batch", o->training.batch, of_train)
      ->check(CLI::IsMember({"auto", "reference"}))
      ->type_name("auto|reference")
      ->group("Training");
  command->callback([o, command, &exit] {
    for (const CLI::Option* option : command->get_options())
      if (option->get_group() == "Training" && option->count() > 0 && option->get_name() != "--set" &&
          option->get_name() != "--runs")
        o->of_training.push_back(option->get_name());
    o->training.elsewhere = o->slurm.asked();
    exit = submit(*o);
  });
}

NEPHRON_COMMAND("submit", 44, add_submit)

}  // namespace
}  // namespace nephron::host
