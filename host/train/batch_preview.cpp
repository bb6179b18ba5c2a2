#include <host/train/batch_preview.hpp>

#include <algorithm>

#include <ATen/ops/clamp.h>
#include <ATen/ops/tensor.h>

#include <host/feed/preview.hpp>
#include <host/train/batch_augmentations.hpp>
#include <host/train/batch_tensors.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

at::Tensor bytes_of(const at::Tensor& values) { return values.round().clamp(0, 255).to(c10::kByte).contiguous(); }

/// Normalised [3, H, W] back to bytes [H, W, 3].
at::Tensor pixels_of(const at::Tensor& image, const Normalise& normalise) {
  const auto per_channel = [](const float(&v)[3]) { return at::tensor({v[0], v[1], v[2]}); };
  return bytes_of(image.permute({1, 2, 0}) / per_channel(normalise.inverse) + per_channel(normalise.mean));
}

/// Picture n of a batch, labels outlined wherever there are any.
Image picture_of(const BatchTensors& batch, std::int64_t n, std::int64_t side, const Normalise& normalise) {
  Image out({side, side}, 3);
  const at::Tensor pixels = pixels_of(batch.images[n], normalise), all = bytes_of(255 * batch.targets[n]),
                   weights = batch.weights[n].contiguous();
  std::copy_n(pixels.const_data_ptr<std::uint8_t>(), pixels.numel(), out.view().row<std::uint8_t>(0));
  const at::Tensor labels = batch.pixel_weights.defined() ? all * (batch.pixel_weights[n] > 0) : all;
  std::vector<std::uint8_t> planes(labels.const_data_ptr<std::uint8_t>(),
                                   labels.const_data_ptr<std::uint8_t>() + labels.numel());
  const std::vector<float> learnt(weights.const_data_ptr<float>(), weights.const_data_ptr<float>() + weights.numel());
  if (batch.pixel_weights.defined()) {
    const at::Tensor none = (batch.pixel_weights[n].amax(0) <= 0).to(c10::kByte).contiguous();
    hatch_ignored(out.view(),
                  {none.const_data_ptr<std::uint8_t>(), none.const_data_ptr<std::uint8_t>() + none.numel()});
  }
  outline_labels(out.view(), planes, learnt, /*least=*/1);
  return out;
}

}  // namespace

std::vector<PreviewRow> preview_batch_chain(const Experiment& experiment, const Registry& registry, const RawBatch& raw,
                                            const Image& before, const ChainPreviewOptions& options) {
  const Normalise normalise = Normalise::of(experiment.data.mean, experiment.data.std);
  std::vector<PreviewRow> rows;
  auto chains = preview_chains(experiment.batch_augmentations, "batch_augmentation", options);
  Progress progress("drawing batches", static_cast<std::int64_t>(chains.size()) * options.draws);
  std::int64_t done = 0;
  for (auto& [row, links] : chains) {
    Experiment shown;  // of it, what the chain asks for
    shown.seed = static_cast<std::int64_t>(options.seed);
    shown.batch_augmentations = links;
    const BatchAugmentations augmentations(shown, registry, {});
    row.original = before.clone();
    for (int k = 0; k < options.draws; ++k) {
      if (interrupted()) throw Cancelled();
      BatchTensors batch = to_tensors(raw, normalise, c10::kCPU, /*channels_last=*/true);
      augmentations.apply(batch, {0, static_cast<std::uint64_t>(k)});
      row.draws.push_back({picture_of(batch, 0, raw.side, normalise), ""});
      progress.update(++done);
    }
    rows.push_back(std::move(row));
  }
  progress.finish();
  return rows;
}

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
  for (std::size_t i = 0; i < std::min(most, raw->ids.size()); ++i)
    out.push_back({picture_of(batch, static_cast<std::int64_t>(i), raw->side, normalise), raw->ids[i]});
  return out;
}

}  // namespace nephron::host
