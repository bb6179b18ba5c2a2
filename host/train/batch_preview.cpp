#include <host/train/batch_preview.hpp>

#include <algorithm>

#include <ATen/ops/clamp.h>
#include <ATen/ops/tensor.h>

#include <host/feed/preview.hpp>
#include <host/train/batch_augmentations.hpp>
#include <host/train/batch_tensors.hpp>

namespace nephron::host {

namespace {

at::Tensor bytes_of(const at::Tensor& values) { return values.round().clamp(0, 255).to(c10::kByte).contiguous(); }

/// Normalised [3, H, W] back to bytes [H, W, 3].
at::Tensor pixels_of(const at::Tensor& image, const Normalise& normalise) {
  const auto per_channel = [](const float(&v)[3]) { return at::tensor({v[0], v[1], v[2]}); };
  return bytes_of(image.permute({1, 2, 0}) / per_channel(normalise.inverse) + per_channel(normalise.mean));
}

}  // namespace

std::vector<BatchPicture> preview_batch(const Experiment& experiment, const Registry& registry, Feed& feed,
                                        std::uint64_t epoch, std::size_t most) {
  const BatchAugmentations augmentations(experiment, registry, {});
  if (augmentations.empty()) return {};
  feed.start(epoch, 0, 1);
  const auto raw = feed.next();
  const Normalise normalise = Normalise::of(experiment.data.mean, experiment.data.std);
  BatchTensors batch = to_tensors(*raw, normalise, c10::kCPU, /*channels_last=*/true);
  augmentations.apply(batch, {epoch, 0});
  std::vector<BatchPicture> out;
  for (std::size_t i = 0; i < std::min(most, raw->ids.size()); ++i) {
    const auto n = static_cast<std::int64_t>(i);
    BatchPicture& shown = out.emplace_back(Image({raw->side, raw->side}, 3), raw->ids[i]);
    const at::Tensor pixels = pixels_of(batch.images[n], normalise), all = bytes_of(255 * batch.targets[n]),
                     weights = batch.weights[n].contiguous();
    const auto* const from = pixels.const_data_ptr<std::uint8_t>();
    std::copy_n(from, pixels.numel(), shown.picture.view().row<std::uint8_t>(0));
    const at::Tensor labels = batch.pixel_weights.defined() ? all * (batch.pixel_weights[n] > 0) : all;
    std::vector<std::uint8_t> planes(labels.const_data_ptr<std::uint8_t>(),
                                     labels.const_data_ptr<std::uint8_t>() + labels.numel());
    const std::vector<float> learnt(weights.const_data_ptr<float>(), weights.const_data_ptr<float>() + weights.numel());
    if (batch.pixel_weights.defined()) {
      const at::Tensor none = (batch.pixel_weights[n].amax(0) <= 0).to(c10::kByte).contiguous();
      hatch_ignored(shown.picture.view(),
                    {none.const_data_ptr<std::uint8_t>(), none.const_data_ptr<std::uint8_t>() + none.numel()});
    }
    outline_labels(shown.picture.view(), planes, learnt, /*least=*/1);
  }
  return out;
}

}  // namespace nephron::host
