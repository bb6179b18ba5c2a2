#include <host/train/train_step.hpp>

#include <utility>

#include <ATen/ops/scalar_tensor.h>
#include <ATen/record_function.h>

#include <host/device/autocast.hpp>
#include <host/model/backward.hpp>
#include <host/train/batch_tensors.hpp>
#include <host/train/schedule.hpp>
#include <host/train/state_digests.hpp>

namespace nephron::host {

TrainStep::TrainStep(const StepParts& parts, const TrainConfig& train, const DataConfig& data, c10::Device device)
    : parts_(parts),
      device_(device),
      autocast_(autocast_type(train.precision, device)),
      channels_last_(train.channels_last),
      clip_norm_(train.clip_norm),
      steps_(StepCounts::of(train).all),
      normalise_(Normalise::of(data.mean, data.std)) {
  if (parts.ranks != nullptr) {
    whole_.emplace(*parts.ranks, train.batch);
    sums_.emplace(*parts.ranks, parts.state.model().parameters());
  }
  if (parts.digests) digest_.emplace();
  if (parts.recorder != nullptr)
    graph_.emplace(*parts.recorder, parts.state.model(), device,
                   [this](const BatchTensors& batch, const at::Tensor& share) {
                     return gradients(batch, batch.images, share, /*last=*/false);
                   });
}

BatchTensors TrainStep::tensors_of(const RawBatch& raw, const BatchNumber& number, at::Tensor& own_images) const {
  BatchTensors batch = to_tensors(raw, normalise_, device_, channels_last_);
  own_images = batch.images;
  const bool mixes = parts_.augmentations != nullptr && !parts_.augmentations->empty();
  if (whole_) batch = whole_->tensors(batch, mixes);
  if (!mixes) return batch;
  parts_.augmentations->apply(batch, number);
  own_images = whole_ ? whole_->part(batch.images) : batch.images;
  return batch;
}

BatchLosses TrainStep::gradients(const BatchTensors& batch, const at::Tensor& images, const at::Tensor& share,
                                 bool last) {
  at::Tensor logits;
  std::vector<at::Tensor> auxiliary;
  {
    const Autocast autocast(device_, autocast_);
    std::optional<NoKeptWeights> own;
    if (graph_) own.emplace();  // a recording converts weights for itself alone
    SegmentationModel& model = parts_.state.model();
    logits = model.forward(images);
    auxiliary = model.take_auxiliary();
  }
  const auto of_all = [&](const at::Tensor& own) { return whole_ ? whole_->with_own(own) : own; };
  for (at::Tensor& more : auxiliary) more = of_all(more.to(c10::kFloat));
  LossValue loss;
  at::Tensor of_samples;
  {
    RECORD_USER_SCOPE("nephron.loss");
    const at::Tensor as_floats = of_all(logits.to(c10::kFloat));
    loss = parts_.objective(as_floats, batch, place(), auxiliary);
    if (parts_.state.hard_examples() != nullptr) of_samples = parts_.objective.of_samples(as_floats, batch);
  }
  if (share.defined()) loss.total = loss.total * share;
  if (sums_ && last) sums_->begin();
  const auto& scaler = parts_.state.scaler();
  run_backward(scaler ? scaler->scale(loss.total) : loss.total);
  return {{loss.total.detach(), loss.parts}, of_samples};
}

BatchLosses TrainStep::recorded_gradients(const BatchTensors& batch, double share, bool last) {
  const std::int64_t epoch = parts_.state.progress.epoch;
  const Objective& objective = parts_.objective;
  if (!objective.replayable(batch, epoch)) return graph_->run_as_ever(batch, share);
  BatchLosses out = graph_->run(batch, share, last, objective.rests_on(epoch));
  objective.require_without_progress();
  return out;
}

LossValue TrainStep::add(const RawBatch& raw, const BatchNumber& number, double share, bool last) {
  at::Tensor images;
  const BatchTensors batch = tensors_of(raw, number, images);
  if (digest_) {
    add_batch(*digest_, raw);
    if (parts_.augmentations != nullptr && !parts_.augmentations->empty()) add_tensors(*digest_, batch);
  }
  const SampleNames names = whole_ ? whole_->names(raw) : SampleNames{raw.ids, raw.windows};
  ids_.insert(ids_.end(), names.ids.begin(), names.ids.end());
  const auto computed = [&] {
    return gradients(batch, images, share == 1 ? at::Tensor() : at::scalar_tensor(share, c10::kFloat), last);
  };
  const BatchLosses out = graph_ ? recorded_gradients(batch, share, last) : computed();
  if (HardExamples* const hard = parts_.state.hard_examples())
    hard->add(raw.first - (whole_ ? whole_->own().first : 0), names.windows, number.epoch, out.of_samples);
  return out.loss;
}

std::uint64_t TrainStep::take_digest() { return digest_ ? digest_->take() : 0; }

std::vector<std::string> TrainStep::take_ids() { return std::exchange(ids_, {}); }

TrainPlace TrainStep::place() const {
  const TrainProgress& progress = parts_.state.progress;
  return {static_cast<double>(progress.step) / static_cast<double>(steps_), progress.epoch};
}

void TrainStep::update(double lr) {
  RECORD_USER_SCOPE("nephron.optimiser");
  Optimizer& optimizer = parts_.state.optimizer();
  auto& scaler = parts_.state.scaler();
  std::optional<at::Tensor> found_inf;
  if (sums_) sums_->finish(optimizer.gradients());
  if (scaler) found_inf = scaler->unscale(optimizer.gradients());
  if (clip_norm_ > 0) clip_gradients(optimizer.gradients(), clip_norm_);
  optimizer.step(lr, found_inf);
  if (scaler) scaler->update(*found_inf);
  optimizer.zero_grad();
  parts_.state.note_step();
}

}  // namespace nephron::host
