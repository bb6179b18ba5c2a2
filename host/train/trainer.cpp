#include <host/train/trainer.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

#include <nlohmann/json.hpp>

#include <host/feed/folds.hpp>
#include <host/model/model.hpp>
#include <host/plugins/guard.hpp>
#include <host/runs/metrics_log.hpp>
#include <host/runs/process.hpp>
#include <host/train/autocast.hpp>
#include <host/train/batch_augmentations.hpp>
#include <host/train/component_metrics.hpp>
#include <host/train/network.hpp>
#include <host/train/objective.hpp>
#include <host/train/schedule.hpp>
#include <host/train/step_log.hpp>
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
  /// Goes back to the last checkpoint.
  void load_last();
  /// From here on the run is on disk.
  void begin();
  std::string title() const;  ///< of the progress line
  std::unique_ptr<Feed> make_feed(bool training) const;
  void train_epoch();
  /// One optimiser step; its batches are the next of the feed.
  void step();
  LossValue forward_backward(const RawBatch& raw, std::int64_t number, double share);
  void apply_gradients(double lr);
  void check_losses(bool all = false);
  /// Validation, figures, checkpoint; false when Ctrl-C cut it short.
  bool end_epoch();
  void note_validation(const Validation& validation);
  void save(bool best);
  TensorMap state() const;
  void write_done(const FoldResult& result) const;
  bool validates(std::int64_t epochs_done) const;

  const FoldJob& job_;
  const Experiment& experiment_;
  const TrainConfig& config_;
  std::shared_ptr<SegmentationModel> model_;
  std::optional<Optimizer> optimizer_;
  std::optional<LossScaler> scaler_;
  std::optional<c10::ScalarType> autocast_;
  ComponentMetrics told_;
  Lent lent_;
  Objective objective_;
  BatchAugmentations batch_augmentations_;
  Normalise normalise_;
  TrainProgress progress_;
  std::int64_t steps_per_epoch_, total_steps_;
  std::unique_ptr<Feed> train_feed_, validation_feed_;
  std::optional<MetricsLog> metrics_;
  std::optional<StepLog> steps_;
  clock::time_point started_ = clock::now(), saved_ = started_, epoch_started_ = started_;
  double seconds_before_ = 0;
};

/// As many as training leaves: on a CPU its threads compute the step, on a GPU one thread starts kernels.
int data_workers(const Experiment& experiment, c10::Device device) {
  if (experiment.data.workers > 0) return experiment.data.workers;
  const int busy = device.is_cpu() ? torch_threads() : 1;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - busy);
}

FoldTrainer::FoldTrainer(const FoldJob& job)
    : job_(job),
      experiment_(job.experiment),
      config_(job.experiment.train),
      autocast_(autocast_type(config_.precision, job.device)),
      lent_{job.device.str(), [this](std::string_view name, double value) { told_.add(name, value); }},
      objective_(experiment_.loss, experiment_.classes.size(), job.registry,
                 static_cast<std::uint64_t>(experiment_.seed), lent_),
      batch_augmentations_(experiment_, job.registry, lent_),
      normalise_(Normalise::of(experiment_.data.mean, experiment_.data.std)),
      steps_per_epoch_((config_.steps_per_epoch + config_.accumulate - 1) / config_.accumulate),
      total_steps_(steps_per_epoch_ * config_.epochs) {
  const bool go_on = job.resume && job.folder.begun();
  ModelConfig model_config = experiment_.model;
  // What it goes on from, or begins with, has them all.
  if (go_on || job.origin != nullptr) model_config.weights.clear(), model_config.encoder.weights.clear();
  const auto seed = static_cast<std::uint64_t>(experiment_.seed);
  model_ = build_model(model_config, static_cast<std::int64_t>(experiment_.classes.size()), job.registry, seed,
                       /*load=*/true, lent_);
  if (!go_on && job.origin != nullptr) load_origin(*job.origin, *model_);
  place_model(*model_, job.device, config_.channels_last);
  model_->train();
  optimizer_.emplace(config_.optimizer, named_parameters(*model_));
  if (autocast_ == c10::ScalarType::Half) scaler_.emplace(job.device);
  if (go_on) load_last();
  seconds_before_ = progress_.seconds;
}

void FoldTrainer::load_last() {
  progress_ = load_checkpoint(job_.folder, *model_, {config_.epochs, steps_per_epoch_}, [this](const TensorMap& saved) {
    optimizer_->load(saved);
    if (scaler_) scaler_->load(saved);
  });
  log().info("fold " + std::to_string(job_.folder.fold) + ": going on after step " + std::to_string(progress_.step) +
             " of " + std::to_string(total_steps_));
}

void FoldTrainer::begin() {
  // Best, last, the one before and the one being written, and something for logs.
  job_.begin(4 * checkpoint_bytes(*model_, state()) + (std::size_t{16} << 20));
  std::filesystem::create_directories(job_.folder.folder);
  metrics_.emplace(job_.folder.folder, progress_.step);
  steps_.emplace(*metrics_, title(), progress_.step, total_steps_, job_.place.unfinished_behind * total_steps_,
                 job_.device);
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
  options.lent = lent_;
  if (!training) options.lent.metrics = nullptr;  // what validation tells belongs to no step
  return std::make_unique<Feed>(experiment_, job_.registry, job_.data, options);
}

FoldResult FoldTrainer::run() try {
  if (!progress_.finished) {
    train_feed_ = make_feed(true);
    validation_feed_ = make_feed(false);
    if (validation_feed_ == nullptr)
      log().warning("fold " + std::to_string(job_.folder.fold) +
                    " holds out no slide: nothing is validated, the last weights count");
  }
  begin();
  while (!progress_.finished && !interrupted()) {
    train_epoch();
    if (progress_.step_in_epoch < steps_per_epoch_ || !end_epoch()) break;
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

void FoldTrainer::train_epoch() {
  epoch_started_ = clock::now();
  if (progress_.step_in_epoch == steps_per_epoch_) return;  // resumed between the last step and its validation
  const std::int64_t first = progress_.step_in_epoch * config_.accumulate;
  train_feed_->start(static_cast<std::uint64_t>(progress_.epoch), first, config_.steps_per_epoch - first);
  steps_->skip_time();
  while (progress_.step_in_epoch < steps_per_epoch_) {
    step();
    const bool last = progress_.step_in_epoch == steps_per_epoch_;
    if (interrupted()) break;
    if (!last && since(saved_) > 60.0 * config_.checkpoint_minutes) save(false);
  }
}

void FoldTrainer::step() {
  const std::int64_t first = progress_.step_in_epoch * config_.accumulate;
  const std::int64_t batches = std::min<std::int64_t>(config_.accumulate, config_.steps_per_epoch - first);
  Rng rng(static_cast<std::uint64_t>(experiment_.seed), "train.step", static_cast<std::uint64_t>(job_.folder.fold),
          static_cast<std::uint64_t>(progress_.step));
  seed_torch(rng.bits64(), job_.device);
  const double waited_before = train_feed_->waited();
  std::vector<std::string> ids;
  LossValue loss;
  for (std::int64_t i = 0; i < batches; ++i) {
    std::unique_ptr<RawBatch> raw = train_feed_->next();
    if (raw == nullptr) throw Error("the feed ended before its epoch did");
    ids.insert(ids.end(), raw->ids.begin(), raw->ids.end());
    const LossValue part = forward_backward(*raw, first + i, 1.0 / static_cast<double>(batches));
    loss = i == 0 ? part : LossValue{loss.total + part.total, loss.parts + part.parts};
    train_feed_->recycle(std::move(raw));
  }
  const double lr = config_.optimizer.lr * schedule_factor(config_.schedule, progress_.step, total_steps_);
  steps_->add(progress_.step + 1, progress_.epoch, loss, lr, std::move(ids), train_feed_->waited() - waited_before,
              told_.take({static_cast<std::uint64_t>(progress_.epoch), (first + batches) * config_.batch}));
  // On a CPU the loss is at hand: a bad one stops before it spoils the weights.
  if (job_.device.is_cpu()) check_losses();
  apply_gradients(lr);
  ++progress_.step;
  ++progress_.step_in_epoch;
  if (!job_.device.is_cpu()) check_losses();
}

LossValue FoldTrainer::forward_backward(const RawBatch& raw, std::int64_t number, double share) {
  BatchTensors batch = to_tensors(raw, normalise_, job_.device, config_.channels_last);
  batch_augmentations_.apply(batch, static_cast<std::uint64_t>(progress_.epoch), static_cast<std::uint64_t>(number));
  at::Tensor logits;
  {
    const Autocast autocast(job_.device, autocast_);
    logits = model_->forward(batch.images);
  }
  LossValue loss = objective_(logits.to(c10::kFloat), batch.targets, batch.weights, batch.known_weights);
  if (share != 1) loss.total = loss.total * share;
  run_backward(scaler_ ? scaler_->scale(loss.total) : loss.total);
  return {loss.total.detach(), loss.parts};
}

void FoldTrainer::apply_gradients(double lr) {
  std::optional<at::Tensor> found_inf;
  if (scaler_) found_inf = scaler_->unscale(optimizer_->gradients());
  if (config_.clip_norm > 0) clip_gradients(optimizer_->gradients(), config_.clip_norm);
  optimizer_->step(lr, found_inf);
  if (scaler_) scaler_->update(*found_inf);
  optimizer_->zero_grad();
}

void FoldTrainer::check_losses(bool all) {
  const bool good = steps_->flush(all);
  progress_.epoch_loss += steps_->take_loss_sum();
  if (good) return;
  const BadLoss& bad = steps_->bad();
  metrics_->flush();
  progress_.seconds = seconds_before_ + since(started_);
  const auto folder = save_aside(job_.folder, "bad-loss-step-" + std::to_string(bad.step), *model_, state(), progress_);
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

bool FoldTrainer::end_epoch() {
  check_losses(/*all=*/true);
  bool best = validation_feed_ == nullptr;
  const double train_loss = progress_.epoch_loss / static_cast<double>(steps_per_epoch_);
  MetricsLog::Values line{{"epoch", static_cast<double>(progress_.epoch)}, {"train_loss", train_loss}};
  std::string text = "fold " + std::to_string(job_.folder.fold) + "  epoch " + std::to_string(progress_.epoch + 1) +
                     "/" + std::to_string(config_.epochs) + "  loss " + text_of("%.4f", train_loss);
  if (validates(progress_.epoch + 1)) {
    const Validation validation = validate(*model_, *validation_feed_, objective_, normalise_, job_.device, config_,
                                           2 * config_.batch, std::int64_t{config_.steps_per_epoch} * config_.batch);
    told_.drop();                     // belongs to no step
    if (interrupted()) return false;  // a part of the tiles says nothing; the resumed run does them all
    best = validation.mean_dice() > progress_.best_dice;
    note_validation(validation);
    line.insert(line.end(), {{"val_loss", validation.loss}, {"dice", validation.mean_dice()}});
    for (std::size_t c = 0; c < validation.dice.size(); ++c) {
      line.emplace_back("dice_" + experiment_.classes[c], validation.dice[c]);
      line.emplace_back("tile_dice_" + experiment_.classes[c], validation.tile_dice[c]);
    }
    text += "  validation loss " + text_of("%.4f", validation.loss) + "  Dice " +
            text_of("%.4f", validation.mean_dice()) + (best ? "  (best)" : "");
  }
  line.emplace_back("seconds", since(epoch_started_));
  line.emplace_back("peak_rss_mb", peak_rss_mb());
  metrics_->write(progress_.step, line);
  metrics_->flush();
  log().info(text + "  " + text_of("%.1f tiles/s", steps_->tiles_per_s()) + "  waited " +
             text_of("%.1f %%", 100 * steps_->waited_share()));
  ++progress_.epoch;
  progress_.step_in_epoch = 0;
  progress_.epoch_loss = 0;
  const bool patience_over = config_.patience > 0 && progress_.since_best >= config_.patience;
  if (patience_over) log().info("no better Dice for " + counted(config_.patience, "validation") + ": stopping early");
  progress_.finished = patience_over || progress_.epoch >= config_.epochs;
  save(best);
  return true;
}

void FoldTrainer::note_validation(const Validation& validation) {
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
}

TensorMap FoldTrainer::state() const {
  TensorMap out = optimizer_->state();
  if (scaler_) out.merge(scaler_->state());
  return out;
}

void FoldTrainer::save(bool best) {
  check_losses(/*all=*/true);  // weights that a bad loss spoilt must not become the ones to go on from
  metrics_->flush();
  progress_.seconds = seconds_before_ + since(started_);
  save_checkpoint(job_.folder, *model_, state(), progress_, best);
  saved_ = clock::now();
  steps_->skip_time();
}

void FoldTrainer::write_done(const FoldResult& result) const {
  if (job_.folder.finished()) return;  // resumed with nothing left to do
  const TrainProgress& p = result.progress;
  const nlohmann::ordered_json out{{"fold", job_.folder.fold},   {"steps", p.step},
                                   {"epochs", p.epoch},          {"best_dice", p.best_dice},
                                   {"best_epoch", p.best_epoch}, {"best_step", p.best_step},
                                   {"last_dice", p.last_dice},   {"last_val_loss", p.last_val_loss},
                                   {"seconds", p.seconds},       {"tiles_per_s", result.tiles_per_s},
                                   {"waited", result.waited},    {"peak_rss_mb", peak_rss_mb()}};
  write_file_atomically(job_.folder.done(), out.dump(2) + "\n");
}

}  // namespace

FoldResult train_fold(const FoldJob& job) try {
  return FoldTrainer(job).run();
} catch (const std::exception& e) {
  explain_determinism(e);
  throw;
}

}  // namespace nephron::host
