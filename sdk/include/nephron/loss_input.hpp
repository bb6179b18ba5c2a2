#pragma once

#include <cstdint>
#include <memory>

#include <nephron/loss.hpp>

namespace nephron {

/// What a loss may look at besides logits and target. The data lives in the SDK's library: a later version can hold
/// more. Copies share it.
class NEPHRON_API LossInput {
 public:
  LossInput(at::Tensor logits, at::Tensor target);

  /// [N, C, H, W] float32 (float64 in `plugins check`), any memory format.
  const at::Tensor& logits() const noexcept;
  /// Like the logits, in [0, 1]: after augmentations of whole batches.
  const at::Tensor& target() const noexcept;
  /// [N, C, H, W], at least 0: how much each pixel counts; 0 where nothing is known (not annotated). Undefined when all
  /// count alike. pixel_mean() takes them into account.
  const at::Tensor& pixel_weights() const noexcept;
  /// signed_distance() of the target. Throws Error when needs() did not ask for it. Pixels that count 0 are background
  /// in it.
  const at::Tensor& distance() const;
  /// The same of what is predicted: logits over 0 are foreground. It has no gradient.
  const at::Tensor& predicted_distance() const;
  /// Share of the training's steps that are done: 0 at the first, towards 1 at the last; in a validation, what it
  /// is then.
  double progress() const noexcept;
  /// Epochs that are done.
  std::int64_t epoch() const noexcept;

  // For whoever makes one.
  void set_pixel_weights(at::Tensor weights);
  void set_distance(at::Tensor distance);
  void set_progress(double progress, std::int64_t epoch);
  /// Makes of LossNeeds what is asked for and not there; `distance_of` stands for signed_distance(). Pixel weights come
  /// first.
  void provide(std::uint32_t needs, at::Tensor (*distance_of)(const at::Tensor& masks) = nullptr);
  /// The same of other logits: what is made of logits has to be provided again, all else is kept.
  LossInput with_logits(at::Tensor logits) const;
  /// One class of some samples, by their indices [n].
  LossInput part(std::int64_t class_index, const at::Tensor& samples) const;
  /// LossAsked since the last call, of this input and of those that were made of it.
  std::uint32_t take_asked() const noexcept;

 private:
  struct Data;
  std::shared_ptr<Data> data_;
};

/// What is made only for losses that ask.
struct LossNeeds {
  static constexpr std::uint32_t distance = 1;
  static constexpr std::uint32_t predicted_distance = 2;
};

/// What changes from step to step or from epoch to epoch, and was looked at: a loss that was recorded on a GPU would
/// see it as it was then.
struct LossAsked {
  static constexpr std::uint32_t progress = 1;
  static constexpr std::uint32_t epoch = 2;
};

/// A loss that looks at more than logits and target. Registered as NEPHRON_COMPONENT(nephron::Loss, ...), with the
/// promises of Loss. A loss that derives from Loss alone is given certain background where pixels count 0, and takes
/// all other pixels alike.
class NEPHRON_API InputLoss : public Loss {
 public:
  ~InputLoss() override;
  /// LossNeeds that are put together with |.
  virtual std::uint32_t needs() const { return 0; }
  /// As Loss::forward().
  virtual at::Tensor value(const LossInput& input) const = 0;
  /// With what needs() asks for, without pixel weights, at the begin of a training.
  at::Tensor forward(const at::Tensor& logits, const at::Tensor& target) const final;
};

/// The mean of values [N, C, H, W] over the pixels of each sample and class, by the input's pixel weights: [N, C]; 0
/// where no pixel counts.
NEPHRON_API at::Tensor pixel_mean(const at::Tensor& values, const LossInput& input);

/// Pixels from the boundary of masks [N, C, H, W] (over 0.5 is foreground), each plane for itself, exact: outside the
/// distance to the nearest pixel of the foreground, inside 1 minus the distance to the nearest of the background; so 1
/// just outside, 0 just inside. 0 in planes that have no boundary. float32, on the device of the target; made on the
/// CPU. As Kervadec et al. 2019 (arXiv:1812.07032) make theirs of scipy's distance_transform_edt.
NEPHRON_API at::Tensor signed_distance(const at::Tensor& target);

}  // namespace nephron
