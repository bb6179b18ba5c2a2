#include <host/train/average_statistics.hpp>

#include <algorithm>
#include <memory>
#include <optional>

#include <nephron/rng.hpp>

#include <host/device/autocast.hpp>
#include <host/device/torch_state.hpp>
#include <host/train/batch_tensors.hpp>
#include <host/train/together.hpp>

namespace nephron::host {

void remake_statistics(TrainState& state, const StatisticsPass& pass) {
  const TrainConfig& config = pass.experiment.train;
  const auto epoch = static_cast<std::uint64_t>(state.progress.epoch);
  const Normalise normalise = Normalise::of(pass.experiment.data.mean, pass.experiment.data.std);
  pass.feed.start(epoch, 0, std::min(config.average.batches, config.steps_per_epoch));
  BatchTensors batch;
  std::int64_t at_hand = -1;
  const auto run = [&](std::int64_t i) {
    if (stop_asked(pass.ranks)) return false;
    if (i != at_hand) {
      std::unique_ptr<RawBatch> raw = pass.feed.next();
      if (raw == nullptr) return false;
      batch = to_tensors(*raw, normalise, pass.device, config.channels_last);
      pass.feed.recycle(std::move(raw));
      at_hand = i;
    }
    // What a module draws is the same when it sees the batch again.
    Rng rng(static_cast<std::uint64_t>(pass.experiment.seed), "train.average", static_cast<std::uint64_t>(pass.fold),
            epoch * static_cast<std::uint64_t>(config.steps_per_epoch) + static_cast<std::uint64_t>(i));
    seed_torch(seed_of_rank(pass.ranks, rng.bits64()), pass.device);
    const Autocast autocast(pass.device, autocast_type(config.precision, pass.device));
    state.model().forward(batch.images);
    state.model().take_auxiliary();
    return true;
  };
  const AveragedWeights::InUse averaged(*state.average());
  remake_statistics(state.model(), run);
}

}  // namespace nephron::host
