#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/plugin.hpp>
#include <nephron/torch.hpp>

namespace nephron {

/// A batch on its way to the model. The data lives in the SDK's library: a later version can hold more. Copies share
/// it.
class NEPHRON_API Batch {
 public:
  Batch(at::Tensor images, at::Tensor targets, at::Tensor weights);

  /// Samples.
  std::int64_t size() const;
  /// [N, 3, H, W] float, normalised, any memory format.
  const at::Tensor& images() const noexcept;
  /// [N, C, H, W] float in [0, 1].
  const at::Tensor& targets() const noexcept;
  /// [N, C] float, at least 0: how much a sample counts for a class; 0 where nothing is known of it.
  const at::Tensor& weights() const noexcept;
  /// [N, C, H, W] float, at least 0: how much each pixel counts; when undefined, all count alike.
  const at::Tensor& pixel_weights() const noexcept;
  /// weights() and pixel_weights() as one: [N, C, H, W], a tensor of its own. What moves or mixes pixels does the same
  /// with it and gives it to set_spread_weights(), so that each pixel keeps what it counted.
  at::Tensor spread_weights() const;

  // Shapes, types and device stay as they are.
  void set_images(at::Tensor images);
  void set_targets(at::Tensor targets);
  void set_weights(at::Tensor weights);
  void set_pixel_weights(at::Tensor weights);
  /// Puts `weights` [N, C, H, W] in the place of weights() and pixel_weights().
  void set_spread_weights(at::Tensor weights);

 private:
  struct Data;
  std::shared_ptr<Data> data_;
};

/// Changes whole batches at random (CutMix, MixUp), after what changes single samples, on the device. The host decides
/// whether it is applied (`p`); the augmentation draws from `rng` alone. Targets and weights follow what is done to
/// images. Tensors that were given are never changed in place: they are replaced. Const calls are thread-safe. An
/// Error, or a batch of another form, ends the run and is told as this component's.
class NEPHRON_API BatchAugmentation : public Component {
 public:
  static constexpr std::string_view kind = "batch_augmentation";
  ~BatchAugmentation() override;
  virtual void apply(Batch& batch, Rng& rng) const = 0;
};

}  // namespace nephron
