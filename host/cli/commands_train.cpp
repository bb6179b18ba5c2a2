#include <memory>
#include <string>

#include <host/cli/command.hpp>
#include <host/train/bench_losses.hpp>
#include <host/train/bench_step.hpp>
#include <host/train/session.hpp>

namespace nephron::host {

namespace {

void add_train(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("train", "Train an experiment");
  const auto request = std::make_shared<TrainRequest>();
  CLI::Option* const experiment = command->add_option("experiment", request->experiment, "The experiment, a TOML file");
  command->add_option("--fold", request->fold, "Number of the fold that is held out; 1,2 or \"all\": one model a fold")
      ->capture_default_str()
      ->take_last();
  command->add_option("--set", request->overrides, "Change a key of the experiment: train.batch=4; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("KEY=VALUE");
  command->add_option("--plugin", request->plugins, "A plugin file to load besides; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--runs", request->runs, "Folder of the runs")->capture_default_str()->take_last();
  CLI::Option* const resume =
      command
          ->add_option("--resume", request->resume,
                       "Go on with a run, or one fold of it; a run's experiment keeps all that changes its results")
          ->type_name("RUN");
  CLI::Option* const from =
      command->add_option("--from", request->from, "A new run that begins with the weights of this one, fold by fold")
          ->type_name("RUN");
  command->add_option("--checkpoint", request->checkpoint, "Which weights of --from")
      ->check(CLI::IsMember({"best", "last", "average"}))
      ->capture_default_str()
      ->needs(from);
  CLI::Option* const device = command->add_option("--device", request->device, "cpu, cuda, cuda:N, or auto")
                                  ->capture_default_str()
                                  ->take_last();
  CLI::Option* const jobs =
      command
          ->add_option("--jobs", request->jobs,
                       "Folds that are trained at a time, each in a process of its own with its share of the cores")
          ->check(CLI::Range(1, 256))
          ->capture_default_str()
          ->take_last();
  CLI::Option* const devices = command
                                   ->add_option_function<std::string>(
                                       "--devices",
                                       [request](const std::string& list) {
                                         request->devices.clear();
                                         for (std::size_t start = 0; start <= list.size();) {
                                           const std::size_t comma = std::min(list.find(',', start), list.size());
                                           request->devices.push_back(list.substr(start, comma - start));
                                           start = comma + 1;
                                         }
                                       },
                                       "A fold at a time on each of these, in a process of its own: cuda:0,cuda:1")
                                   ->type_name("DEVICE,...")
                                   ->take_last()
                                   ->excludes(device)
                                   ->excludes(jobs);
  command->add_option("--rerun-of", request->rerun_of)->group("");  // of nephron rerun
  command->add_flag("--anyway", request->anyway)->group("");
  command->add_option("--worker-fold", request->worker.fold)->group("");  // of processes that --jobs starts
  command->add_option("--worker-threads", request->worker.threads)->group("");
  command->add_option("--worker-cores", request->worker.cores)->group("");
  command->add_option("--into", request->into)->group("")->excludes(resume);  // of processes that a sweep starts
  command->add_flag("--with-parent", request->with_parent)->group("");
  CLI::Option* const batch = command
                                 ->add_option_function<std::string>(
                                     "--batch",
                                     [request](const std::string& how) {
                                       (how == "auto" ? request->auto_batch : request->reference_batch) = true;
                                     },
                                     "auto: as many tiles a batch as fit into the memory that is free, 64 at most; "
                                     "reference: batch and epochs "
                                     "that the reference has for the encoder; the run records them")
                                 ->check(CLI::IsMember({"auto", "reference"}))
                                 ->type_name("auto|reference");
  CLI::Option* const until =
      command
          ->add_option("--until-epoch", request->until_epoch,
                       "Pause when so many epochs are done; the schedule stays that of the whole training")
          ->check(CLI::PositiveNumber)
          ->take_last();
  command->add_flag("--strict", request->strict, "Stop when any slide cannot be read (data.most_lost = 0)");
  command->add_flag("--alone", request->alone, "One process, whatever variables of torchrun or srun say");
  command
      ->add_option("--rank-silence", request->rank_silence,
                   "Seconds after which a rank that is not heard of counts as lost")
      ->check(CLI::Range(5.0, 86400.0))
      ->capture_default_str();
  CLI::Option* const debug = command->add_flag("--debug", request->debug, "One fold, few steps, nothing kept");
  CLI::Option* const waits = command->add_flag("--leave-waiting", request->leave_waiting,
                                               "Make the run and train nothing: --resume RUN begins it");
  command
      ->add_option("--wait-for-run", request->wait_for_run,
                   "So many seconds, where another process still trains what --resume names")
      ->check(CLI::Range(0, 86400))
      ->needs(resume);
  command->add_flag("--elsewhere", request->elsewhere)->group("")->needs(waits)->excludes(batch);  // of submit
  command
      ->add_flag(
          "--share-run", request->share_run,
          "One fold (--resume RUN/fold-K), while other processes train others of the run, also on other machines")
      ->needs(resume)
      ->excludes(jobs)
      ->excludes(devices);
  resume->excludes(experiment)->excludes(debug)->excludes(from)->excludes(batch)->excludes(waits);
  waits->excludes(debug);
  debug->excludes(jobs)->excludes(devices)->excludes(until);
  command->callback([request, command, &exit] {
    if (request->experiment.empty() && request->resume.empty())
      throw CLI::RequiredError("train: an experiment file, or --resume RUN,");
    if (!request->resume.empty() && command->count("--fold") > 0)
      throw CLI::ExcludesError("--fold", "--resume (name the fold's folder: --resume RUN/fold-K)");
    exit = train(*request);
  });
}

void add_bench_step(CLI::App& app, int& exit) {
  CLI::App* const command =
      app.add_subcommand("bench-train-step", "Time a training step on a batch held in memory")->group("");
  const auto request = std::make_shared<BenchStepRequest>();
  command->add_option("--encoder", request->encoder)->required();
  command->add_option("--decoder", request->decoder)->required();
  command->add_option("--loss", request->loss)->required();
  command->add_option("--batch", request->batch)->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--tile", request->tile)->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--classes", request->classes)->check(CLI::Range(1, 8))->capture_default_str();
  command->add_option("--precision", request->precision)
      ->check(CLI::IsMember({"fp32", "bf16", "fp16"}))
      ->capture_default_str();
  command->add_option("--steps", request->steps)->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--warmup", request->warmup)->check(CLI::NonNegativeNumber)->capture_default_str();
  command->add_option("--threads", request->threads)->capture_default_str();
  command->add_option("--device", request->device)->capture_default_str();
  command->add_flag("--channels-last,!--no-channels-last", request->channels_last);
  command->add_flag("--divide", request->divide, "Print how a step divides, too");
  CLI::Option* const checkpointing =
      command->add_flag("--checkpointing", request->checkpointing, "Run blocks again for their gradients");
  command->add_flag("--cuda-graph", request->cuda_graph, "Record the step, and replay it")->excludes(checkpointing);
  command->callback([request, &exit] {
    bench_step(*request);
    exit = Exit::done;
  });
}

void add_bench_losses(CLI::App& app, int& exit) {
  CLI::App* const command = app.add_subcommand("bench-losses", "Time losses on logits held in memory")->group("");
  const auto request = std::make_shared<BenchLossesRequest>();
  command->add_option("CASES", request->cases, "TOML file that names them")->required()->check(CLI::ExistingFile);
  command->add_option("--batch", request->batch)->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--classes", request->classes)->check(CLI::Range(1, 8))->capture_default_str();
  command->add_option("--tile", request->tile)->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--right", request->right, "How far logits are on the side of the target")->capture_default_str();
  command->add_option("--steps", request->steps)->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--threads", request->threads)->capture_default_str();
  command->add_option("--device", request->device)->capture_default_str();
  command->callback([request, &exit] {
    bench_losses(*request);
    exit = Exit::done;
  });
}

}  // namespace

NEPHRON_COMMAND("train", 30, add_train)
NEPHRON_COMMAND("bench-train-step", 900, add_bench_step)
NEPHRON_COMMAND("bench-losses", 901, add_bench_losses)

}  // namespace nephron::host
