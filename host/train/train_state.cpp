#include <host/train/train_state.hpp>

#include <utility>

#include <host/device/autocast.hpp>
#include <host/train/network.hpp>
#include <host/train/parameter_groups.hpp>
#include <host/util/log.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

TrainState::TrainState(std::shared_ptr<SegmentationModel> model, const TrainConfig& config, c10::Device device)
    : model_(std::move(model)),
      groups_(parameter_groups(config, named_parameters(*model_))),
      optimizer_(config.optimizer, groups_),
      freezing_(config, named_parameters(*model_)),
      average_start_(config.average.start) {
  if (autocast_type(config.precision, device) == c10::ScalarType::Half) scaler_.emplace(device);
  if (config.average.type != "none") average_.emplace(config.average, *model_);
  if (config.hard_examples.share > 0) hard_examples_.emplace(config.hard_examples);
}

void TrainState::enter_epoch() {
  freezing_.apply(*model_, progress.epoch);
  if (freezing_.none()) return;
  const std::string now = freezing_.text(progress.epoch);
  if (now != frozen_) log().info("epoch " + std::to_string(progress.epoch + 1) + ": " + now);
  frozen_ = now;
}

void TrainState::note_step() {
  if (averages() && average_->exponential()) average_->add(progress.averaged++);
}

bool TrainState::note_epoch() {
  if (hard_examples_) hard_examples_->settle();
  if (!averages() || average_->exponential()) return false;
  // An epoch whose validation was interrupted ends twice.
  if (progress.averaged < progress.epoch + 1 - average_start_) average_->add(progress.averaged++);
  return true;
}

TensorMap TrainState::tensors() const {
  TensorMap out = optimizer_.state();
  if (scaler_) out.merge(scaler_->state());
  if (hard_examples_) out.merge(hard_examples_->state());
  return out;
}

TensorMap TrainState::averaged() const { return average_ && progress.averaged > 0 ? average_->tensors() : TensorMap(); }

TensorMap TrainState::all_tensors() const {
  TensorMap out = tensors();
  for (auto& [name, tensor] : state_dict(*model_)) out.emplace("weights." + name, tensor);
  for (auto& [name, tensor] : averaged()) out.emplace("average." + name, tensor);
  return out;
}

std::size_t TrainState::bytes() const {
  TensorMap all = tensors();
  if (average_)
    for (auto& [name, tensor] : average_->tensors()) all.emplace("average." + name, tensor);
  return checkpoint_bytes(*model_, all);
}

void TrainState::load(const FoldFolder& fold, const TrainLengths& lengths) {
  progress = load_checkpoint(fold, *model_, lengths, [this](const SavedTensors& saved) {
    optimizer_.load(saved.state);
    if (scaler_) scaler_->load(saved.state);
    if (average_ && !saved.average.empty()) average_->load(saved.average);
    if (hard_examples_) hard_examples_->load(saved.state);
  });
}

void TrainState::save(const FoldFolder& fold, bool best) const {
  save_checkpoint(fold, *model_, tensors(), progress, best, averaged());
}

std::filesystem::path TrainState::save_aside(const FoldFolder& fold, const std::string& name) const {
  return host::save_aside(fold, name, *model_, tensors(), progress);
}

}  // namespace nephron::host
