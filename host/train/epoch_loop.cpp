#include <host/train/epoch_loop.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

#include <host/device/torch_state.hpp>
#include <host/train/state_digests.hpp>
#include <host/train/together.hpp>

namespace nephron::host {

EpochLoop::EpochLoop(EpochParts parts, const Experiment& experiment, int fold, c10::Device device)
    : parts_(std::move(parts)),
      config_(experiment.train),
      counts_(StepCounts::of(config_)),
      seed_(static_cast<std::uint64_t>(experiment.seed)),
      fold_(static_cast<std::uint64_t>(fold)),
      device_(device) {}

void EpochLoop::run() {
  parts_.state.enter_epoch();
  share_weights(parts_.ranks, parts_.state);
  if (complete()) return;  // resumed between the last step and its validation
  const TrainProgress& progress = parts_.state.progress;
  const std::int64_t first = progress.step_in_epoch * config_.accumulate;
  const auto epoch = static_cast<std::uint64_t>(progress.epoch);
  HardExamples* const hard = parts_.state.hard_examples();
  parts_.feed.start(epoch, first, config_.steps_per_epoch - first,
                    hard != nullptr ? hard->repeats(seed_, epoch) : nullptr);
  parts_.log.skip_time();
  while (!complete()) {
    step();
    if (stop_asked(parts_.ranks)) break;
    const std::chrono::duration<double> since_kept = std::chrono::steady_clock::now() - kept_;
    if (!complete() && since_kept.count() > 60.0 * config_.checkpoint_minutes) parts_.keep();
  }
}

void EpochLoop::step() {
  TrainProgress& progress = parts_.state.progress;
  const auto epoch = static_cast<std::uint64_t>(progress.epoch);
  const std::int64_t first = progress.step_in_epoch * config_.accumulate;
  const std::int64_t batches = std::min<std::int64_t>(config_.accumulate, config_.steps_per_epoch - first);
  Rng rng(seed_, "train.step", fold_, static_cast<std::uint64_t>(progress.step));
  seed_torch(seed_of_rank(parts_.ranks, rng.bits64()), device_);
  const double waited_before = parts_.feed.waited();
  LossValue loss;
  for (std::int64_t i = 0; i < batches; ++i) {
    std::unique_ptr<RawBatch> raw = parts_.feed.next();
    if (raw == nullptr) throw Error("the feed ended before its epoch did");
    const LossValue part =
        parts_.step.add(*raw, {epoch, static_cast<std::uint64_t>(first + i)}, 1.0 / static_cast<double>(batches),
                        /*last=*/i + 1 == batches);
    loss = i == 0 ? part : LossValue{loss.total + part.total, loss.parts + part.parts};
    parts_.feed.recycle(std::move(raw));
  }
  const double lr =
      config_.optimizer.lr * progress.plateau.factor * schedule_factor(config_.schedule, progress.step, counts_.all);
  parts_.log.add(progress.step + 1, progress.epoch, loss, lr, parts_.step.take_ids(), parts_.step.take_digest(),
                 parts_.feed.waited() - waited_before, parts_.told.take({epoch, (first + batches) * config_.batch}));
  // On a CPU the loss is at hand: a bad one stops before it spoils the weights.
  if (device_.is_cpu()) parts_.check_losses(false);
  parts_.step.update(lr);
  ++progress.step;
  ++progress.step_in_epoch;
  if (!device_.is_cpu()) parts_.check_losses(false);
  if (parts_.watch != nullptr && progress.step % digest_every == 0)
    parts_.watch->tensors(progress.step, digests_of(parts_.state.all_tensors()));
}

}  // namespace nephron::host
