#include <host/train/trainer.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

#include <nlohmann/json.hpp>

#include <nephron/nn/first_weights.hpp>

#include <host/data/folds.hpp>
#include <host/device/torch_state.hpp>
#include <host/model/model.hpp>
#include <host/plugins/guard.hpp>
#include <host/runs/metrics_log.hpp>
#include <host/runs/process.hpp>
#include <host/train/average_statistics.hpp>
#include <host/train/batch_augmentations.hpp>
#include <host/train/component_metrics.hpp>
#include <host/train/epoch_loop.hpp>
#include <host/train/network.hpp>
#include <host/train/objective.hpp>
#include <host/train/step_log.hpp>
#include <host/train/train_step.hpp>
#include <host/train/validation.hpp>
#include <host/train/warm_start.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>

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
  std::unique_ptr<Feed> make_feed(bool training) const;
  void check_losses(bool all = false);
  /// Validation, figures, checkpoint; false when Ctrl-C cut it short.
  bool end_epoch();
  /// Of the weights that the network has; nothing when Ctrl-C cut it short.
  std::optional<Validation> validate_now();
  std::optional<Validation> validate_average();
  /// What a validation adds to the line of metrics; `prefix`: of the names.
  void add_figures(MetricsLog::Values& line, const Validation& validation, const std::string& prefix) const;
  /// True when it makes the rate fall.
  bool note_validation(const Validation& validation);
  void save(bool best);
  void write_done(const FoldResult& result) const;
  bool validates(std::int64_t epochs_done) const;

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
  TrainStep step_;
  std::unique_ptr<Feed> train_feed_, validation_feed_;
  std::optional<MetricsLog> metrics_;
  std::optional<StepLog> steps_;
  std::optional<EpochLoop> epoch_;
  clock::time_point started_ = clock::now(), epoch_started_ = started_;
  double seconds_before_ = 0;
};

/// As many as training leaves: on a CPU its threads compute the step, on a GPU one thread starts kernels.
int data_workers(const Experiment& experiment, c10::Device device) {
  if (experiment.data.workers > 0) return experiment.data.workers;
  const int busy = device.is_cpu() ? torch_threads() : 1;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - busy);
}

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
      step_({state_, objective_, &batch_augmentations_}, config_, experiment_.data, job.device) {
  if (job.resume && job.folder.begun()) {
    state_.load(job.folder, {config_.epochs, steps_of_.epoch});
    log().info("fold " + std::to_string(job.folder.fold) +
               (progress_.finished ? ": finished already, after step " : ": going on after step ") +
               std::to_string(progress_.step) + " of " + std::to_string(steps_of_.all));
  }
  seconds_before_ = progress_.seconds;
}

void FoldTrainer::begin() {
  // Best, last, the one before and the one being written, and something for logs.
  job_.begin(4 * state_.bytes() + (std::size_t{16} << 20));
  std::filesystem::create_directories(job_.folder.folder);
  metrics_.emplace(job_.folder.folder, progress_.step);
  steps_.emplace(*metrics_, title(), progress_.step, steps_of_.all, job_.place.unfinished_behind * steps_of_.all,
                 job_.device);
  if (train_feed_ == nullptr) return;
  if (const std::string text = groups_text(state_.groups()); !text.empty()) log().info(text);
  epoch_.emplace(EpochParts{state_, step_, *train_feed_, *steps_, component_metrics_,
                            [this](bool all) { check_losses(all); }, [this] { save(false); }},
                 experiment_, job_.folder.fold, job_.device);
}

std::string FoldTrainer::title() const {
  const std::string name = "fold " + std::to_string(job_.folder.fold);
  if (job_.place.count == 1) return name;
  return name + " (" + std::to_string(job_.place.number + 1) + " of " + std::to_string(job_.place.count) + ")";
}

std::unique_ptr<Feed> FoldTrainer::make_feed(bool training) const {
  FeedOptions options;
  const FoldSlides slides = slides_of(job_.data, job_.folder.fold);
  options.slides = training ? slides.training : slides.held_out;
  if (options.slides.empty()) {
    if (!training) return nullptr;
    throw Error("fold " + std::to_string(job_.folder.fold) + " leaves no annotated slide to train on",
                "The data has " + counted(job_.data.slides.size(), "slide") +
                    "; set data.folds.count to at least 2 and at most their number.");
  }
  options.training = training;
  options.batch = training ? config_.batch : 2 * config_.batch;  // no gradients: twice as much fits
  options.workers = data_workers(experiment_, job_.device);
  options.prefetch = experiment_.data.prefetch;
  options.seed = static_cast<std::uint64_t>(experiment_.seed);
  options.services = services_;
  if (!training) options.services.metrics = nullptr;  // what validation tells belongs to no step
  return std::make_unique<Feed>(experiment_, job_.registry, job_.data, options);
}

FoldResult FoldTrainer::run() try {
  if (!progress_.finished) {
    train_feed_ = make_feed(true);
    validation_feed_ = make_feed(false);
    if (validation_feed_ == nullptr) {
      if (config_.schedule.type == "plateau")
        throw Error("fold " + std::to_string(job_.folder.fold) +
                        " holds out no slide: nothing is validated, and the rate of a plateau schedule never falls",
                    "take another train.schedule, or let a dataset be held out");
      log().warning("fold " + std::to_string(job_.folder.fold) +
                    " holds out no slide: nothing is validated, the last weights count");
    }
  }
  begin();
  while (!progress_.finished && !interrupted()) {
    epoch_started_ = clock::now();
    epoch_->run();
    if (!epoch_->complete() || !end_epoch()) break;
  }
  FoldResult result{progress_, progress_.finished, steps_->tiles_per_s(), steps_->waited_share()};
  metrics_->flush();
  if (progress_.finished) write_done(result);
  else save(false);
  return result;
} catch (const PluginError& e) {
  throw PluginError(std::string(e.what()) + " (fold " + std::to_string(job_.folder.fold) + ", after step " +
                        std::to_string(progress_.step) + ")",
                    e.hint());
}

void FoldTrainer::check_losses(bool all) {
  const bool good = steps_->flush(all);
  progress_.epoch_loss += steps_->take_loss_sum();
  if (good) return;
  const BadLoss& bad = steps_->bad();
  metrics_->flush();
  progress_.seconds = seconds_before_ + since(started_);
  const auto folder = state_.save_aside(job_.folder, "bad-loss-step-" + std::to_string(bad.step));
  std::string samples;
  for (const std::string& id : bad.ids) samples += "\n    " + id;
  throw Error(
      "the loss is " + std::string(std::isnan(bad.loss) ? "NaN" : "infinite") + " at step " + std::to_string(bad.step) +
          " (epoch " + std::to_string(progress_.epoch + 1) + ") of fold " + std::to_string(job_.folder.fold) + ": " +
          objective_.explain(bad.parts, experiment_.classes) + "; samples in the batch:" + samples,
      "The weights " + std::string(job_.device.is_cpu() ? "that gave it" : "a few steps later at most") +
          " are kept in " + folder.string() +
          ". Try a lower learning rate, train.clip_norm = 1, or fp32; --resume goes on from the last good checkpoint.");
}

bool FoldTrainer::validates(std::int64_t epochs_done) const {
  return validation_feed_ != nullptr && (epochs_done % config_.validate_every == 0 || epochs_done == config_.epochs);
}

std::optional<Validation> FoldTrainer::validate_now() {
  const Validation validation = validate(
      state_.model(), *validation_feed_, objective_, Normalise::of(experiment_.data.mean, experiment_.data.std),
      job_.device, config_, 2 * config_.batch, std::int64_t{config_.steps_per_epoch} * config_.batch, step_.place());
  component_metrics_.drop();               // belongs to no step
  if (interrupted()) return std::nullopt;  // a part of the tiles says nothing; the resumed run does them all
  return validation;
}

std::optional<Validation> FoldTrainer::validate_average() {
  const AveragedWeights::InUse averaged(*state_.average());
  return validate_now();
}

void FoldTrainer::add_figures(MetricsLog::Values& line, const Validation& validation, const std::string& prefix) const {
  line.insert(line.end(), {{prefix + "val_loss", validation.loss}, {prefix + "dice", validation.mean_dice()}});
  for (std::size_t c = 0; c < validation.dice.size(); ++c) {
    line.emplace_back(prefix + "dice_" + experiment_.classes[c], validation.dice[c]);
    line.emplace_back(prefix + "tile_dice_" + experiment_.classes[c], validation.tile_dice[c]);
  }
}

bool FoldTrainer::end_epoch() {
  check_losses(/*all=*/true);
  if (state_.note_epoch()) {
    remake_statistics(state_, {experiment_, *train_feed_, job_.device, job_.folder.fold});
    component_metrics_.drop();
    if (interrupted()) return false;
  }
  bool best = validation_feed_ == nullptr;
  const double train_loss = progress_.epoch_loss / static_cast<double>(steps_of_.epoch);
  MetricsLog::Values line{{"epoch", static_cast<double>(progress_.epoch)}, {"train_loss", train_loss}};
  if (const HardExamples* const hard = state_.hard_examples()) hard->add_figures(line);
  std::string text = "fold " + std::to_string(job_.folder.fold) + "  epoch " + std::to_string(progress_.epoch + 1) +
                     "/" + std::to_string(config_.epochs) + "  loss " + text_of("%.4f", train_loss);
  if (validates(progress_.epoch + 1)) {
    const std::optional<Validation> validation = validate_now();
    if (!validation) return false;
    std::optional<Validation> average;
    if (state_.average() != nullptr && !(average = validate_average())) return false;
    best = validation->mean_dice() > progress_.best_dice;
    add_figures(line, *validation, "");
    text += "  validation loss " + text_of("%.4f", validation->loss) + "  Dice " +
            text_of("%.4f", validation->mean_dice()) + (best ? "  (best)" : "");
    if (average) {
      progress_.average_dice = average->mean_dice();
      add_figures(line, *average, "average_");
      text += "  averaged " + text_of("%.4f", average->mean_dice());
    }
    if (note_validation(*validation)) text += "  rate x " + text_of("%.3g", progress_.plateau.factor);
  }
  line.emplace_back("seconds", since(epoch_started_));
  line.emplace_back("peak_rss_mb", peak_rss_mb());
  metrics_->write(progress_.step, line);
  metrics_->flush();
  if (steps_->seconds() > 0)  // a run that goes on may have no step left of the epoch
    text += "  " + text_of("%.1f tiles/s", steps_->tiles_per_s()) + "  waited " +
            text_of("%.1f %%", 100 * steps_->waited_share());
  log().info(text);
  ++progress_.epoch;
  progress_.step_in_epoch = 0;
  progress_.epoch_loss = 0;
  const bool patience_over = config_.patience > 0 && progress_.since_best >= config_.patience;
  if (patience_over) log().info("no better Dice for " + counted(config_.patience, "validation") + ": stopping early");
  progress_.finished = patience_over || progress_.epoch >= config_.epochs;
  save(best);
  return true;
}

bool FoldTrainer::note_validation(const Validation& validation) {
  progress_.last_dice = validation.mean_dice();
  progress_.last_val_loss = validation.loss;
  if (progress_.last_dice > progress_.best_dice) {
    progress_.best_dice = progress_.last_dice;
    progress_.best_step = progress_.step;
    progress_.best_epoch = progress_.epoch + 1;
    progress_.since_best = 0;
  } else {
    ++progress_.since_best;
  }
  return progress_.plateau.add(config_.schedule, progress_.last_dice);
}

void FoldTrainer::save(bool best) {
  check_losses(/*all=*/true);  // weights that a bad loss spoilt must not become the ones to go on from
  metrics_->flush();
  progress_.seconds = seconds_before_ + since(started_);
  state_.save(job_.folder, best);
  if (epoch_) epoch_->kept();
  steps_->skip_time();
}

void FoldTrainer::write_done(const FoldResult& result) const {
  if (job_.folder.finished()) return;  // resumed with nothing left to do
  const TrainProgress& p = result.progress;
  const nlohmann::ordered_json out{{"fold", job_.folder.fold},
                                   {"steps", p.step},
                                   {"epochs", p.epoch},
                                   {"best_dice", p.best_dice},
                                   {"best_epoch", p.best_epoch},
                                   {"best_step", p.best_step},
                                   {"last_dice", p.last_dice},
                                   {"last_val_loss", p.last_val_loss},
                                   {"average_dice", p.average_dice},
                                   {"seconds", p.seconds},
                                   {"tiles_per_s", result.tiles_per_s},
                                   {"waited", result.waited},
                                   {"peak_rss_mb", peak_rss_mb()}};
  write_file_atomically(job_.folder.done(), out.dump(2) + "\n");
}

}  // namespace

FoldResult train_fold(const FoldJob& job) try { return FoldTrainer(job).run(); } catch (const std::exception& e) {
  explain_determinism(e);
  throw;
}

}  // namespace nephron::host
