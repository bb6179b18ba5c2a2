#include <host/train/session.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include <host/config/load.hpp>
#include <host/config/show.hpp>
#include <host/data/findings.hpp>
#include <host/data/folds.hpp>
#include <host/data/overlaps.hpp>
#include <host/data/prepared.hpp>
#include <host/data/shortfalls.hpp>
#include <host/device/device.hpp>
#include <host/device/torch_state.hpp>
#include <host/feed/normalisation.hpp>
#include <host/ranks/ranks.hpp>
#include <host/train/fold_processes.hpp>
#include <host/train/fold_worker.hpp>
#include <host/train/memory.hpp>
#include <host/train/objective.hpp>
#include <host/train/results.hpp>
#include <host/train/run_snapshot.hpp>
#include <host/train/start.hpp>
#include <host/train/together.hpp>
#include <host/train/trainer.hpp>
#include <host/train/warm_start.hpp>
#include <host/util/child_process.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/shell_word.hpp>
#include <host/util/temporary_folder.hpp>
#include <host/util/usage_error.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// An error that says nothing better, such as a full disk, says what is left.
FoldResult train_and_say_how_to_go_on(const FoldJob& job, const Session& session) try {
  return train_fold(job);
} catch (const Cancelled&) {
  throw;
} catch (const ConfigError&) {
  throw;
} catch (const Error& e) {
  const bool unwritable = dynamic_cast<const WriteError*>(&e) != nullptr;
  // Before it began, the last checkpoint may be what is wrong.
  if ((!e.hint().empty() && !unwritable) || !session.begun() || !job.folder.has_checkpoint("last")) throw;
  throw Error(e.what(), e.hint() + (e.hint().empty() ? "" : "\n  ") +
                            "the last checkpoint is whole; when this is mended, go on with: nephron train --resume " +
                            shell_word(session.run().folder().string()));
}

/// Folds that were begun go on with the slides that they began with. A run of a version that did not write folds down
/// gets its file when they agree.
void settle_slides(const Session& session, const PreparedData& data) {
  for (const int fold : session.folds())
    if (const fs::path file = session.run().fold(fold).slides(); fs::exists(file))
      settle_fold_slides(file, session.experiment(), data, slides_of(data, fold));
  if (!fs::exists(session.run().splits())) write_splits(session.run().splits(), session.splits());
}

/// What is wrong with any fold is said before the first one is trained.
void check_folds(const Session& session, const PreparedData& data, bool writes) {
  const Experiment& experiment = session.experiment();
  for (const std::string& finding : file_findings(experiment, session.registry(), data.datasets).findings)
    log().warning(finding);
  for (const std::string& leak : leaks(experiment, data, session.folds())) log().warning(leak);
  require_possible(experiment, data, session.folds());
  for (const std::string& shortfall : shortfalls(experiment, data, session.folds())) log().warning(shortfall);
  const std::string exclusive = loss_of_exclusive_classes(experiment.loss, session.registry());
  for (const std::string& overlap : check_exclusive(experiment, data, exclusive)) log().warning(overlap);
  for (const int fold : session.folds()) {
    require_left(data, session.splits(), fold);
    require_unseen(data, fold);
    if (const FoldOrigin* const origin = session.origin(fold); origin != nullptr && !session.resumes())
      require_unseen_by(*origin, experiment, data, slides_of(data, fold));
  }
  if (session.resumes() && writes) settle_slides(session, data);
}

/// A run that starts another one again has what that one had.
void require_as_before(const TrainRequest& request, const Session& session, const PreparedData& data) {
  if (request.rerun_of.empty()) return;
  const RunFolder before = RunFolder::open(request.rerun_of);
  std::vector<std::string> all = differences_from_snapshot(read_snapshot(before.folder() / snapshot_name),
                                                           session.experiment(), session.registry());
  for (const int fold : session.folds()) {
    const auto slides = differences_of_slides(before.fold(fold).slides(), session.experiment(), data, fold);
    all.insert(all.end(), slides.begin(), slides.end());
  }
  const auto origins = origins_of_environment(before.environment());
  for (const FoldOrigin& then : origins)
    if (const FoldOrigin* const now = session.origin(then.fold); now != nullptr && now->sha256 != then.sha256)
      all.push_back("weights: " + now->weights.string() + " is another file than fold " + std::to_string(then.fold) +
                    " began with");
  if (all.empty()) return;
  std::string text;
  for (const std::string& difference : all) text += "\n    " + difference;
  const std::string what = "not all is as " + before.folder().string() + " began with it:" + text;
  if (!request.anyway) throw Error(what, "Put it back as it was, or give --anyway: the run then gives something else.");
  log().warning(what);
}

/// Ranks that were started with different commands, or see other slides, would wait for each other in vain.
void require_one_training(const Ranks& ranks, const Session& session, const PreparedData& data) {
  const Experiment& e = session.experiment();
  if (ranks.count() > e.train.batch)
    throw Error("train.batch is " + std::to_string(e.train.batch) + ", less than the " + std::to_string(ranks.count()) +
                    " ranks: a batch is divided over them",
                "Raise train.batch, or start fewer ranks.");
  ranks.require_alike("the experiment", to_toml(e.resolved));
  std::string folds, slides;
  for (const int k : session.folds()) folds += std::to_string(k) + " ";
  ranks.require_alike("--fold", folds);
  for (std::size_t i = 0; i < data.slides.size(); ++i)
    slides += data.slides[i]->info().id + " " + std::to_string(data.folds[i]) + " " +
              std::to_string(data.slides[i]->size().width) + "x" + std::to_string(data.slides[i]->size().height) + "\n";
  ranks.require_alike("the list of slides that could be read", slides);
}

/// Folds behind this one that still have steps to do.
int unfinished_behind(const Session& session, std::size_t number) {
  int out = 0;
  for (std::size_t i = number + 1; i < session.folds().size(); ++i)
    out += !session.run().fold(session.folds()[i]).finished();
  return out;
}

/// What folds are trained on.
struct Means {
  c10::Device device;
  int cores = 0;                 ///< 0: all of the machine
  const Ranks* ranks = nullptr;  ///< none: this process alone
  std::int64_t until_epoch = 0;  ///< 0: to the end
};

FoldResults train_folds(Session& session, const PreparedData& data, const Means& means) {
  const Ranks* const ranks = means.ranks;
  FoldResults results;
  const std::vector<int>& folds = session.folds();
  for (std::size_t i = 0; i < folds.size() && !stop_asked(ranks); ++i) {
    const FoldFolder folder = session.run().fold(folds[i]);
    const auto begin = [&](std::size_t bytes) {
      session.begin(bytes);
      if (ranks == nullptr || ranks->first())
        settle_fold_slides(folder.slides(), session.experiment(), data, slides_of(data, folds[i]));
    };
    const FoldPlace place{static_cast<int>(i), static_cast<int>(folds.size()), unfinished_behind(session, i)};
    const FoldJob job{session.experiment(),
                      session.registry(),
                      data,
                      folder,
                      means.device,
                      session.resumes(),
                      session.origin(folds[i]),
                      begin,
                      place,
                      means.cores,
                      means.until_epoch,
                      ranks};
    results.emplace_back(folds[i], train_and_say_how_to_go_on(job, session));
  }
  return results;
}

/// Of folds that failed in processes of their own, when the others are at their end.
[[noreturn]] void throw_failures(const std::map<int, std::string>& failures, const std::string& go_on) {
  std::string text;
  for (const auto& [fold, why] : failures)
    text += (text.empty() ? "fold " : "\nfold ") + std::to_string(fold) + " failed: " + why;
  throw Error(text, "when this is mended, the folds that are not finished go on with: " + go_on);
}

struct Trained {
  FoldsOutcome folds;
  std::string lost;     ///< slides
  std::string options;  ///< that the command was given and that --resume wants again
};

/// Nothing is left of what it was asked for.
bool is_done(const FoldResults::value_type& fold) { return fold.second.finished || fold.second.paused; }

int finish(const TrainRequest& request, Session& session, const Trained& trained) {
  constexpr int exit_done = 0, exit_interrupted = 130;
  const FoldResults& results = trained.folds.results;
  if (!session.begun() || (results.empty() && session.forget())) {
    if (!trained.folds.failures.empty()) throw Error(trained.folds.failures.begin()->second);
    log().warning("interrupted before training began: no run was made");
    return exit_interrupted;
  }
  const bool done = results.size() == session.folds().size() && std::all_of(results.begin(), results.end(), is_done);
  if (!request.writes) return done ? exit_done : exit_interrupted;
  print_table(results, session.experiment().classes);
  std::printf("%s\n", request.debug ? "nothing was kept (--debug)" : session.run().folder().c_str());
  std::fflush(stdout);
  if (!trained.lost.empty()) log().warning(trained.lost);
  if (!trained.folds.failures.empty())
    throw_failures(trained.folds.failures,
                   "nephron train --resume " + shell_word(session.run().folder().string()) + " " + trained.options);
  if (done && std::any_of(results.begin(), results.end(), [](const auto& r) { return r.second.paused; })) {
    session.note_end(EndedBy::pause);
    log().info(how_to_go_on_after_pause(session.run(), request.until_epoch, session.experiment().train.epochs,
                                        trained.options));
  }
  // Other folds of the run are other processes' business.
  if (done && request.share_run) session.note_end(EndedBy::pause);
  if (done) return exit_done;
  if (!request.debug) log().warning(how_to_go_on(session.run(), trained.options));
  return exit_interrupted;
}

PreparedData prepared(const TrainRequest& request, const Session& session, const Ranks* ranks) {
  PreparedData data =
      prepare(session.listing(), session.splits(), request.strict ? 0 : session.experiment().data.most_lost);
  warn_of_problems(data);
  check_folds(session, data, request.writes);
  require_as_before(request, session, data);
  if (ranks != nullptr) require_one_training(*ranks, session, data);
  return normalised(std::move(data), session.experiment(), session.registry());
}

/// One fold of a run that another process holds. What is wrong with the data, that one has said.
int train_for_parent(const TrainRequest& request) {
  work_for_parent();
  try {
    keep_freed_memory();
    const c10::Device device = parse_device(request.device);
    Session session = Session::go_on(request, device);
    const Experiment& experiment = session.experiment();
    set_torch_threads(request.worker.threads > 0 ? request.worker.threads : experiment.train.threads);
    if (device.is_cuda()) set_deterministic(experiment.train.deterministic);
    const PreparedData data =
        normalised(prepare(session.listing(), session.splits(), request.strict ? 0 : experiment.data.most_lost),
                   experiment, session.registry());
    settle_slides(session, data);
    const FoldResults results =
        train_folds(session, data, {device, request.worker.cores, nullptr, request.until_epoch});
    for (const auto& [fold, result] : results) report_result(result);
    return results.size() == 1 && is_done(results.front()) ? 0 : 130;
  } catch (const Cancelled&) {
    return 130;
  } catch (...) {
    report_failure();
    return 1;
  }
}

/// Trains the folds and tells of them. Returns the exit code.
int train_session(const TrainRequest& request, const JobPlan& asked, const c10::Device& device, const Ranks* ranks,
                  Session& session) {
  const JobPlan plan = asked.for_pieces(session.folds().size());
  Trained trained;
  if (plan.several()) {
    trained.lost = text_of_lost(prepared(request, session, ranks));
    give_back_freed_memory();  // slides, which every process prepares or maps for itself
    trained.options = plan.option();
    if (!interrupted()) {
      session.begin(0);
      trained.folds = train_in_processes(session, request, plan);
    }
  } else {
    const PreparedData data = prepared(request, session, ranks);
    trained.folds.results = train_folds(session, data, {device, request.worker.cores, ranks, request.until_epoch});
    trained.lost = text_of_lost(data);
  }
  return finish(request, session, trained);
}

int train_here(const TrainRequest& request, const JobPlan& asked, const c10::Device& device, const Ranks* ranks) {
  std::optional<TemporaryFolder> scratch;
  if (request.debug) scratch.emplace("nephron-debug-");
  Session session = request.resume.empty() ? Session::start(request, scratch ? scratch->folder() : request.runs, device)
                                           : Session::go_on(request, device);
  if (request.leave_waiting) {
    session.leave_waiting();
    std::printf("%s\n", session.run().folder().c_str());
    return 0;
  }
  const Experiment& experiment = session.experiment();
  set_torch_threads(request.worker.threads > 0 ? request.worker.threads : experiment.train.threads,
                    ranks == nullptr ? 1 : ranks->here());
  if (device.is_cuda()) set_deterministic(experiment.train.deterministic);
  try {
    const int exit = train_session(request, asked, device, ranks, session);
    if (exit != 0) session.note_end(EndedBy::interruption);
    else session.note_done();
    return exit;
  } catch (const Cancelled&) {
    session.note_end(EndedBy::interruption);
    throw;
  } catch (const std::exception& e) {
    session.note_end(EndedBy::error, &e);
    throw;
  }
}

/// Of a run that another machine trains: what is named there need not be here.
c10::Device device_elsewhere(const std::string& text) {
  return text.starts_with("cuda") ? c10::Device(c10::kCUDA, 0) : c10::Device(c10::kCPU);
}

}  // namespace

int train(const TrainRequest& request) {
  if (request.with_parent) die_with_parent();
  if (request.worker.fold >= 0) return train_for_parent(request);
  const JobPlan plan = JobPlan::of(request.devices, request.jobs, request.device);
  const std::optional<RankPlace> place = request.alone ? std::nullopt : place_among_ranks();
  if (place && (plan.several() || plan.by_device))
    throw UsageError("--jobs and --devices train folds each for itself, and this process is one of the ranks that " +
                         place->starter + " started to train one model",
                     "leave them out; or start one process, or give --alone");
  // Processes of their own keep it each for itself.
  if (!plan.several()) keep_freed_memory();
  if (request.elsewhere) return train_here(request, plan, device_elsewhere(plan.devices.front()), nullptr);
  if (!place) {
    for (const std::string& device : plan.devices) parse_device(device);
    return train_here(request, plan, parse_device(plan.devices.front()), nullptr);
  }
  if (request.auto_batch)
    throw UsageError(
        "--batch auto is of one process: ranks that see different memory would train with different batches",
        "give train.batch");
  const c10::Device device = device_of_rank(request.device, *place);
  RankTimes times;
  times.silence = times.grace = std::chrono::milliseconds(static_cast<std::int64_t>(1000 * request.rank_silence));
  times.grace = std::min(times.grace, RankTimes().grace);
  TrainRequest own = request;
  own.writes = place->rank == 0;
  own.ranks = place->count;
  if (!own.writes) set_log_level(Log::Level::error);  // what all ranks have to say is said once
  Ranks ranks(*place, device, times);
  log().info("training with " + std::to_string(ranks.count()) + " ranks, started by " + place->starter + ": this is " +
             ranks.name());
  return run_among(ranks, [&] { return train_here(own, plan, device, &ranks); });
}

}  // namespace nephron::host
