#include <host/train/validation.hpp>

#include <numeric>

#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <host/train/autocast.hpp>
#include <host/util/interrupt.hpp>

namespace nephron::host {

double Validation::mean_dice() const {
  return dice.empty() ? 0 : std::accumulate(dice.begin(), dice.end(), 0.0) / static_cast<double>(dice.size());
}

at::Tensor tile_dice(const at::Tensor& logits, const at::Tensor& targets) {
  constexpr double eps = 1e-8;
  const at::Tensor predicted = at::sigmoid(logits) > 0.5, truth = targets > 0.5;
  const auto count = [](const at::Tensor& mask) { return mask.sum(at::IntArrayRef{2, 3}).to(c10::kDouble); };
  return (2 * count(predicted.logical_and(truth)) + eps) / (count(predicted) + count(truth) + eps);
}

Validation validate(SegmentationModel& model, Feed& feed, const Objective& objective, const Normalise& normalise, c10::Device device,
                    const TrainConfig& config, int batch, std::int64_t draws) {
  const std::int64_t tiles = feed.count() > 0 ? feed.count() : draws;
  const c10::InferenceMode inference;
  model.eval();
  Validation out;
  at::Tensor dice, counted;
  at::Tensor loss = at::zeros({}, at::TensorOptions().dtype(c10::kDouble).device(device));
  feed.start(0, 0, (tiles + batch - 1) / batch);
  while (!interrupted()) {
    std::unique_ptr<RawBatch> raw = feed.next();
    if (raw == nullptr) break;
    const BatchTensors tensors = to_tensors(*raw, normalise, device, config.channels_last);
    const std::int64_t n = raw->count;
    feed.recycle(std::move(raw));
    at::Tensor logits;
    {
      const Autocast autocast(device, autocast_type(config.precision, device));
      logits = model.forward(tensors.images);
    }
    logits = logits.to(c10::kFloat);
    loss += objective(logits, tensors.targets, tensors.weights).to(c10::kDouble) * static_cast<double>(n);
    const at::Tensor counts = (tensors.weights > 0).to(c10::kDouble);
    const at::Tensor sum = (tile_dice(logits, tensors.targets) * counts).sum(0);
    dice = dice.defined() ? dice + sum : sum;
    counted = counted.defined() ? counted + counts.sum(0) : counts.sum(0);
    out.tiles += n;
  }
  model.train();
  if (out.tiles == 0) return out;
  out.loss = loss.item<double>() / static_cast<double>(out.tiles);
  const at::Tensor mean = (dice / counted.clamp_min(1)).cpu();
  for (std::int64_t c = 0; c < mean.numel(); ++c) out.dice.push_back(mean[c].item<double>());
  return out;
}

}  // namespace nephron::host
