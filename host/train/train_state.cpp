#include <host/train/train_state.hpp>

#include <utility>

#include <host/device/autocast.hpp>
#include <host/train/network.hpp>

namespace nephron::host {

TrainState::TrainState(std::shared_ptr<SegmentationModel> model, const TrainConfig& config, c10::Device device)
    : model_(std::move(model)), optimizer_(config.optimizer, named_parameters(*model_)) {
  if (autocast_type(config.precision, device) == c10::ScalarType::Half) scaler_.emplace(device);
}

TensorMap TrainState::tensors() const {
  TensorMap out = optimizer_.state();
  if (scaler_) out.merge(scaler_->state());
  return out;
}

std::size_t TrainState::bytes() const { return checkpoint_bytes(*model_, tensors()); }

void TrainState::load(const FoldFolder& fold, const TrainLengths& lengths) {
  progress = load_checkpoint(fold, *model_, lengths, [this](const TensorMap& saved) {
    optimizer_.load(saved);
    if (scaler_) scaler_->load(saved);
  });
}

void TrainState::save(const FoldFolder& fold, bool best) const {
  save_checkpoint(fold, *model_, tensors(), progress, best);
}

std::filesystem::path TrainState::save_aside(const FoldFolder& fold, const std::string& name) const {
  return host::save_aside(fold, name, *model_, tensors(), progress);
}

}  // namespace nephron::host
