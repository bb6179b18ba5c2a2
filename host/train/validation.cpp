#include <host/train/validation.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>

#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <host/device/autocast.hpp>
#include <host/model/exclusive.hpp>
#include <host/util/interrupt.hpp>

namespace nephron::host {

double Validation::mean_dice() const {
  std::vector<double> known;
  std::copy_if(dice.begin(), dice.end(), std::back_inserter(known), [](double d) { return !std::isnan(d); });
  return known.empty() ? 0 : std::accumulate(known.begin(), known.end(), 0.0) / static_cast<double>(known.size());
}

at::Tensor overlap_counts(const at::Tensor& logits, const at::Tensor& targets, const at::Tensor& pixel_weights,
                          bool exclusive) {
  at::Tensor predicted = predicted_masks(logits, exclusive), truth = targets > 0.5;
  if (pixel_weights.defined()) {
    const at::Tensor known = pixel_weights > 0;
    predicted = predicted.logical_and(known), truth = truth.logical_and(known);
  }
  const auto count = [](const at::Tensor& mask) { return mask.sum(at::IntArrayRef{2, 3}).to(c10::kDouble); };
  return at::stack({count(predicted.logical_and(truth)), count(predicted), count(truth)});
}

at::Tensor dice_of(const at::Tensor& counts) {
  constexpr double eps = 1e-8;
  return (2 * counts[0] + eps) / (counts[1] + counts[2] + eps);
}

at::Tensor ValidationParts::logits_of(const at::Tensor& images) const {
  const Autocast autocast(device, autocast_type(experiment.train.precision, device));
  return model.forward(images).to(c10::kFloat);
}

namespace {

std::vector<double> list_of(const at::Tensor& values) {
  const at::Tensor on_cpu = values.cpu().contiguous();
  return {on_cpu.data_ptr<double>(), on_cpu.data_ptr<double>() + on_cpu.numel()};
}

}  // namespace

TileTally::TileTally(bool exclusive, std::size_t classes, c10::Device device) : exclusive_(exclusive) {
  const auto c = static_cast<std::int64_t>(classes);
  const auto none = [&](at::IntArrayRef sizes) {
    return at::zeros(sizes, at::TensorOptions().dtype(c10::kDouble).device(device));
  };
  tiles_ = none({}), loss_ = none({}), unknown_ = none({}), counts_ = none({3, c}), tile_dice_ = none({c}),
  counted_ = none({c});
}

void TileTally::add(const at::Tensor& logits, const BatchTensors& batch, const at::Tensor& mean_loss) {
  at::Tensor counted = (batch.weights > 0).to(c10::kDouble);
  if (batch.pixel_weights.defined()) counted = counted * (batch.pixel_weights.amax({2, 3}) > 0);
  const at::Tensor counts = overlap_counts(logits, batch.targets, batch.pixel_weights, exclusive_) * counted;
  loss_ += mean_loss.to(c10::kDouble) * static_cast<double>(logits.size(0));
  unknown_ += logits.isnan().any();
  counts_ += counts.sum(1);
  tile_dice_ += (dice_of(counts) * counted).sum(0);
  counted_ += counted.sum(0);
  tiles_ += static_cast<double>(logits.size(0));
}

void TileTally::sum(const Ranks& ranks) { ranks.sum({tiles_, loss_, unknown_, counts_, tile_dice_, counted_}); }

Validation TileTally::result() const {
  Validation out;
  const auto tiles = tiles_.item<double>();
  out.tiles = static_cast<std::int64_t>(tiles);
  if (tiles == 0) return out;
  out.loss = loss_.item<double>() / tiles;
  out.finite = unknown_.item<double>() == 0;
  out.dice = list_of(dice_of(counts_).masked_fill(counted_ == 0, std::numeric_limits<double>::quiet_NaN()));
  out.tile_dice = list_of(tile_dice_ / counted_);
  return out;
}

void meet_after(const Ranks* ranks, bool cancelled) {
  if (ranks != nullptr) {
    ranks->meet();  // in a collective the first would wait no longer than it allows
    cancelled = ranks->any(cancelled);
  }
  if (cancelled) throw Cancelled();
}

Validation validate(const ValidationParts& parts, Feed& feed, std::int64_t draws) {
  const TrainConfig& config = parts.experiment.train;
  const std::int64_t tiles = feed.count() > 0 ? feed.count() : draws, batch = 2 * config.batch;
  const std::int64_t batches = (tiles + batch - 1) / batch;
  const BatchShare own =
      parts.ranks == nullptr ? BatchShare{0, batches} : share_of(batches, parts.ranks->rank(), parts.ranks->count());
  const c10::InferenceMode inference;
  const Evaluating evaluating(parts.model);
  TileTally tally(parts.objective.exclusive(), parts.experiment.classes.size(), parts.device);
  feed.start(0, own.first, own.count);
  while (!interrupted()) {
    std::unique_ptr<RawBatch> raw = feed.next();
    if (raw == nullptr) break;
    const BatchTensors tensors = to_tensors(*raw, parts.normalise(), parts.device, config.channels_last);
    feed.recycle(std::move(raw));
    const at::Tensor logits = parts.logits_of(tensors.images);
    tally.add(logits, tensors, parts.objective(logits, tensors, parts.place).total);
  }
  meet_after(parts.ranks, interrupted());
  if (parts.ranks != nullptr) tally.sum(*parts.ranks);
  return tally.result();
}

}  // namespace nephron::host
