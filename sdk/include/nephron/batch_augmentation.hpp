#pragma once

#include <nephron/augmentation.hpp>
#include <nephron/torch.hpp>

namespace nephron {

/// An augmentation of whole batches (CutMix, MixUp). It is named in [[augmentation]] as the others are; the host
/// runs it after them, on the device. draw() is not called. It is of kind "augmentation" and registers that base:
/// NEPHRON_COMPONENT(nephron::Augmentation, MyCutMix, "my-cutmix", "..."). Shapes, types and device stay; targets
/// follow what is done to images. An Error, or a batch of another shape, ends the run and is told as this component's.
class NEPHRON_API BatchAugmentation : public Augmentation {
 public:
  ~BatchAugmentation() override;
  void draw(Size size, Rng& rng, Plan& plan) const final;
  /// images [N, 3, H, W] float, normalised; targets [N, C, H, W] float; weights [N, C] float. Changed in place or
  /// replaced.
  virtual void apply(at::Tensor& images, at::Tensor& targets, at::Tensor& weights, Rng& rng) const = 0;
};

}  // namespace nephron
