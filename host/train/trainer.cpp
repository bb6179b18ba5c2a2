#include <host/train/trainer.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include <nephron/nn/first_weights.hpp>

#include <host/device/torch_state.hpp>
#include <host/model/model.hpp>
#include <host/plugins/guard.hpp>
#include <host/runs/metrics_log.hpp>
#include <host/runs/process.hpp>
#include <host/train/average_statistics.hpp>
#include <host/train/batch_augmentations.hpp>
#include <host/train/component_metrics.hpp>
#include <host/train/epoch_loop.hpp>
#include <host/train/fold_feed.hpp>
#include <host/train/fold_report.hpp>
#include <host/train/fold_validation.hpp>
#include <host/train/memory.hpp>
#include <host/train/network.hpp>
#include <host/train/objective.hpp>
#include <host/train/state_digests.hpp>
#include <host/train/step_log.hpp>
#include <host/train/together.hpp>
#include <host/train/train_step.hpp>
#include <host/train/warm_start.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace {

using clock = std::chrono::steady_clock;

double since(clock::time_point start) { return std::chrono::duration<double>(clock::now() - start).count(); }

std::string text_of(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

class FoldTrainer {
 public:
  explicit FoldTrainer(const FoldJob& job);
  FoldResult run();

 private:
  /// From here on the run is on disk.
  void begin();
  std::string title() const;  ///< of the progress line
  void check_losses(bool all = false);
  /// What follows the steps of an epoch; false when Ctrl-C cut it short.
  bool end_epoch();
  /// What an epoch's weights are worth, and the averaged ones.
  struct Validated {
    Validation last;
    std::optional<Validation> average;
  };
  /// By all ranks together; nothing when Ctrl-C cut it short.
  std::optional<Validated> validate_epoch();
  /// Figures and checkpoint: rank 0's.
  void conclude_epoch(const std::optional<Validated>& validated);
  /// Of the weights that the network has; nothing when Ctrl-C cut it short.
  std::optional<Validation> validate_now();
  std::optional<Validation> validate_average();
  void tell(EpochReport& report);
  /// True when it makes the rate fall.
  bool note_validation(const Validation& validation);
  void save(bool best);
  std::string what_resume_does() const;
  bool validates(std::int64_t epochs_done) const;
  /// The epoch is done that it was to stop at.
  bool paused() const {
    return job_.until_epoch > 0 && !progress_.finished && progress_.step_in_epoch == 0 &&
           progress_.epoch >= job_.until_epoch;
  }

  const FoldJob& job_;
  const Experiment& experiment_;
  const TrainConfig& config_;
  ComponentMetrics component_metrics_;
  JobServices services_;
  Objective objective_;
  BatchAugmentations batch_augmentations_;
  StepCounts steps_of_;
  TrainState state_;
  TrainProgress& progress_ = state_.progress;
  std::unique_ptr<WorkRecorder> recorder_;  ///< none: no graph is wanted
  TrainStep step_;
  std::optional<SharedStatistics> shared_statistics_;
  std::unique_ptr<Feed> train_feed_;
  std::optional<FoldValidation> validation_;
  std::optional<MetricsLog> metrics_;
  std::optional<DigestLog> digests_;
  std::optional<StepLog> steps_;
  std::optional<EpochLoop> epoch_;
  clock::time_point started_ = clock::now(), epoch_started_ = started_;
  double seconds_before_ = 0;
  std::optional<std::int64_t> went_on_from_;  ///< the step of the checkpoint, until another is written
};

/// The network on its device: weights of the experiment, of where it begins, or those to be loaded when it goes on.
std::shared_ptr<SegmentationModel> make_model(const FoldJob& job, bool go_on, const JobServices& services) {
  const Experiment& experiment = job.experiment;
  ModelConfig config = experiment.model;
  // What it goes on from, or begins with, has them all.
  std::optional<nn::WithoutFirstWeights> all_are_loaded;
  if (go_on || job.origin != nullptr) {
    config.weights.clear(), config.encoder.weights.clear();
    all_are_loaded.emplace();
  }
  auto model = build_model(config, static_cast<std::int64_t>(experiment.classes.size()), job.registry,
                           static_cast<std::uint64_t>(experiment.seed), /*load=*/true, services);
  if (!go_on && job.origin != nullptr) load_origin(*job.origin, *model);
  place_model(*model, job.device, experiment.train.channels_last);
  model->train();
  return model;
}

FoldTrainer::FoldTrainer(const FoldJob& job)
    : job_(job),
      experiment_(job.experiment),
      config_(job.experiment.train),
      services_{job.device.str(), [this](std::string_view name, double value) { component_metrics_.add(name, value); }},
      objective_(experiment_.loss, experiment_.classes.size(), job.registry,
                 static_cast<std::uint64_t>(experiment_.seed), services_, experiment_.exclusive),
      batch_augmentations_(experiment_, job.registry, services_),
      steps_of_(StepCounts::of(config_)),
      state_(make_model(job, job.resume && job.folder.begun(), services_), config_, job.device),
      recorder_(config_.cuda_graph ? cuda_recorder(job.device) : nullptr),
      step_({state_, objective_, &batch_augmentations_, job.ranks, job.writes(), recorder_.get()}, config_,
            experiment_.data, job.device) {
  if (job.resume && job.folder.begun()) {
    state_.load(job.folder, {config_.epochs, steps_of_.epoch});
    went_on_from_ = progress_.step;
    log().info("fold " + std::to_string(job.folder.fold) +
               (progress_.finished ? ": finished already, after step " : ": going on after step ") +
               std::to_string(progress_.step) + " of " + std::to_string(steps_of_.all));
  }
  if (!progress_.finished && forget_other_measure(progress_, experiment_.validation.how))
    log().warning("fold " + std::to_string(job.folder.fold) + " was validated on other pixels before (now on " +
                  experiment_.validation.how + "): its best Dice is found anew");
  seconds_before_ = progress_.seconds;
  if (job.ranks != nullptr && config_.sync_batch_norm) shared_statistics_.emplace(*job.ranks, state_.model());
}

void FoldTrainer::begin() {
  // Best, last, the one before and the one being written, and something for logs.
  job_.begin(4 * state_.bytes() + (std::size_t{16} << 20));
  if (job_.writes()) {
    std::filesystem::create_directories(job_.folder.folder);
    metrics_.emplace(job_.folder.folder, progress_.step);
    if (job_.watch == nullptr && train_feed_ != nullptr)
      digests_.emplace(job_.folder.folder, progress_.step,
                       digest_session(job_.device, job_.ranks == nullptr ? 1 : job_.ranks->count()));
  }
  StepWatch* const watch = digests_ ? &*digests_ : job_.watch;
  const std::int64_t steps =
      job_.until_epoch > 0 ? std::min(steps_of_.all, job_.until_epoch * steps_of_.epoch) : steps_of_.all;
  steps_.emplace(metrics_ ? &*metrics_ : nullptr, title(), progress_.step, steps, job_.place.unfinished_behind * steps,
                 job_.device);
  steps_->tell(watch);
  if (train_feed_ == nullptr) return;
  if (watch != nullptr && progress_.step == 0) watch->tensors(0, digests_of(state_.all_tensors()));
  if (const std::string text = groups_text(state_.groups()); !text.empty()) log().info(text);
  epoch_.emplace(EpochParts{state_, step_, *train_feed_, *steps_, component_metrics_,
                            [this](bool all) { check_losses(all); }, [this] { save(false); }, job_.ranks, watch},
                 experiment_, job_.folder.fold, job_.device);
}

std::string FoldTrainer::title() const {
  const std::string name = "fold " + std::to_string(job_.folder.fold);
  if (job_.place.count == 1) return name;
  return name + " (" + std::to_string(job_.place.number + 1) + " of " + std::to_string(job_.place.count) + ")";
}

FoldResult FoldTrainer::run() try {
  if (!progress_.finished) {
    train_feed_ = make_feed(job_, /*training=*/true, services_);
    validation_.emplace(job_, objective_, services_, state_.model().multiple());
    if (!validation_->any()) {
      if (config_.schedule.type == "plateau")
        throw Error("fold " + std::to_string(job_.folder.fold) +
                        " holds out no slide: nothing is validated, and the rate of a plateau schedule never falls",
                    "take another train.schedule, or let a dataset be held out");
      log().warning("fold " + std::to_string(job_.folder.fold) +
                    " holds out no slide: nothing is validated, the last weights count");
    }
  }
  begin();
  while (!progress_.finished && !paused() && !stop_asked(job_.ranks)) {
    epoch_started_ = clock::now();
    epoch_->run();
    if (!epoch_->complete() || !end_epoch()) break;
  }
  FoldResult result{progress_, progress_.finished, paused(), steps_->tiles_per_s(), steps_->waited_share()};
  if (const std::string text = step_.graph_text(); !text.empty()) log().info(text);
  if (!job_.writes()) return result;
  metrics_->flush();
  if (digests_) digests_->flush();
  if (progress_.finished) write_done(job_.folder, result, experiment_.classes);
  else if (!paused()) save(false);  // the end of its last epoch was kept
  return result;
} catch (const PluginError& e) {
  throw PluginError(std::string(e.what()) + " (fold " + std::to_string(job_.folder.fold) + ", after step " +
                        std::to_string(progress_.step) + ")",
                    e.hint());
}

/// A run that goes on from a checkpoint comes by the same steps again.
std::string FoldTrainer::what_resume_does() const {
  if (!went_on_from_) return "--resume goes on from the last good checkpoint.";
  return "this session went on from the checkpoint of step " + std::to_string(*went_on_from_) +
         " and wrote none since, so that --resume would come here again: begin a new run with other settings (--from " +
         shell_word(job_.folder.folder.parent_path().string()) + " begins it with these weights).";
}

void FoldTrainer::check_losses(bool all) {
  const bool good = steps_->flush(all);
  progress_.epoch_loss += steps_->take_loss_sum();
  if (good) return;
  const BadLoss& bad = steps_->bad();
  const std::string what = "the loss is " + std::string(std::isnan(bad.loss) ? "NaN" : "infinite") + " at step " +
                           std::to_string(bad.step) + " (epoch " + std::to_string(progress_.epoch + 1) + ") of fold " +
                           std::to_string(job_.folder.fold);
  if (!job_.writes()) throw Error(what);
  metrics_->flush();
  progress_.seconds = seconds_before_ + since(started_);
  const auto folder = state_.save_aside(job_.folder, "bad-loss-step-" + std::to_string(bad.step));
  std::string samples;
  for (const std::string& id : bad.ids) samples += "\n    " + id;
  throw Error(what + ": " + objective_.explain(bad.parts, experiment_.classes) + "; samples in the batch:" + samples,
              "The weights " + std::string(job_.device.is_cpu() ? "that gave it" : "a few steps later at most") +
                  " are kept in " + folder.string() + ". Try a lower learning rate, train.clip_norm = 1, or fp32; " +
                  what_resume_does());
}

bool FoldTrainer::validates(std::int64_t epochs_done) const {
  return validation_->any() && (epochs_done % config_.validate_every == 0 || epochs_done == config_.epochs);
}

std::optional<Validation> FoldTrainer::validate_now() {
  share_weights(job_.ranks, state_);  // statistics of normalisations are each rank's own
  auto validation = validation_->run(state_.model(), step_.place());
  component_metrics_.drop();  // belongs to no step
  if (validation && !validation->finite)
    throw Error("the output of the network is not finite (NaN) in the validation of epoch " +
                    std::to_string(progress_.epoch + 1) + " of fold " + std::to_string(job_.folder.fold),
                "Try a lower learning rate, train.clip_norm = 1, or fp32; " + what_resume_does());
  return validation;
}

std::optional<Validation> FoldTrainer::validate_average() {
  const AveragedWeights::InUse averaged(*state_.average());
  return validate_now();
}

bool FoldTrainer::end_epoch() {
  check_losses(/*all=*/true);
  if (state_.note_epoch()) {
    remake_statistics(state_, {experiment_, *train_feed_, job_.device, job_.folder.fold, job_.ranks});
    component_metrics_.drop();
    if (stop_asked(job_.ranks)) return false;
  }
  std::optional<Validated> validated;
  if (validates(progress_.epoch + 1) && !(validated = validate_epoch())) return false;
  first_decides(job_.ranks, progress_, {config_.epochs, steps_of_.epoch}, [&] { conclude_epoch(validated); });
  return true;
}

std::optional<FoldTrainer::Validated> FoldTrainer::validate_epoch() {
  const std::optional<Validation> last = validate_now();
  if (!last) return std::nullopt;
  if (state_.average() == nullptr) return Validated{*last, std::nullopt};
  const std::optional<Validation> average = validate_average();
  if (!average) return std::nullopt;
  return Validated{*last, average};
}

void FoldTrainer::conclude_epoch(const std::optional<Validated>& validated) {
  bool best = !validation_->any();
  EpochReport report(job_, progress_, progress_.epoch_loss / static_cast<double>(steps_of_.epoch));
  if (const HardExamples* const hard = state_.hard_examples()) hard->add_figures(report.line);
  if (validated) {
    best = validated->last.mean_dice() > progress_.best_dice;
    report.add(validated->last, experiment_.classes, best);
    if (const std::optional<Validation>& average = validated->average) {
      progress_.average_dice = average->mean_dice();
      progress_.average_dice_of = average->dice;
      report.add_average(*average, experiment_.classes);
    }
    const bool falls = note_validation(validated->last);
    report.add_best(progress_, experiment_.classes);
    if (falls) report.text += "  rate x " + text_of("%.3g", progress_.plateau.factor);
  }
  tell(report);
  ++progress_.epoch;
  progress_.step_in_epoch = 0;
  progress_.epoch_loss = 0;
  const bool patience_over = config_.patience > 0 && progress_.since_best >= config_.patience;
  if (patience_over) log().info("no better Dice for " + counted(config_.patience, "validation") + ": stopping early");
  progress_.finished = patience_over || progress_.epoch >= config_.epochs;
  save(best);
}

void FoldTrainer::tell(EpochReport& report) {
  report.line.emplace_back("seconds", since(epoch_started_));
  report.line.emplace_back("peak_rss_mb", peak_rss_mb());
  metrics_->write(progress_.step, report.line);
  metrics_->flush();
  if (steps_->seconds() > 0)  // a run that goes on may have no step left of the epoch
    report.text += "  " + text_of("%.1f tiles/s", steps_->tiles_per_s()) + "  waited " +
                   text_of("%.1f %%", 100 * steps_->waited_share());
  log().info(report.text);
}

bool FoldTrainer::note_validation(const Validation& validation) {
  progress_.last_dice = validation.mean_dice();
  progress_.last_dice_of = validation.dice;
  progress_.last_val_loss = validation.loss;
  if (progress_.last_dice > progress_.best_dice) {
    progress_.best_dice = progress_.last_dice;
    progress_.best_dice_of = validation.dice;
    progress_.best_step = progress_.step;
    progress_.best_epoch = progress_.epoch + 1;
    progress_.since_best = 0;
  } else {
    ++progress_.since_best;
  }
  return progress_.plateau.add(config_.schedule, progress_.last_dice);
}

void FoldTrainer::save(bool best) {
  if (!job_.writes()) return;
  check_losses(/*all=*/true);  // weights that a bad loss spoilt must not become the ones to go on from
  metrics_->flush();
  if (digests_) digests_->flush();
  progress_.seconds = seconds_before_ + since(started_);
  state_.save(job_.folder, best);
  went_on_from_.reset();
  if (epoch_) epoch_->kept();
  steps_->skip_time();
}

}  // namespace

FoldResult train_fold(const FoldJob& job) try { return FoldTrainer(job).run(); } catch (const std::exception& e) {
  explain_determinism(e);
  explain_out_of_memory(e, job.experiment, job.device, job.folder.folder.parent_path());
  throw;
}

}  // namespace nephron::host
