#pragma once

// nn/ is bound to the exact build, as tensors are (docs/plugins.md, rule 8).
#include <cstdint>

#include <torch/nn/module.h>

#include <nephron/export.hpp>
#include <nephron/nn/activation.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch.hpp>

namespace nephron::nn {

class Conv2d;

/// Other processes, each of which has a part of the batch, in an order that all of them know. Calls are made by all of
/// them alike, and wait for the others.
class NEPHRON_API BatchPeers {
 public:
  virtual ~BatchPeers();
  /// What each has, of one form: [processes, ...].
  virtual at::Tensor gather(const at::Tensor& own) const = 0;
  /// The sum over them, in place.
  virtual void sum(const at::Tensor& own) const = 0;
};

/// torch.nn.BatchNorm2d: names "weight", "bias", "running_mean", "running_var", "num_batches_tracked".
class NEPHRON_API BatchNorm2d final : public torch::nn::Module {
 public:
  explicit BatchNorm2d(std::int64_t channels, double eps = 1e-5, double momentum = 0.1);
  ~BatchNorm2d() override;

  /// Throws Error in training mode when a channel has a single value, which has no variance.
  at::Tensor forward(const at::Tensor& x) { return forward(x, Activation::none); }
  /// activate(forward(x) + more, activation), in fewer passes over the maps where it can: in training on a CPU, in
  /// channels_last. `more` may be undefined. What comes out may be x, changed in place.
  at::Tensor forward(const at::Tensor& x, Activation activation, const at::Tensor& more = {});
  /// Puts this normalisation into the convolution that it follows, for inference alone: from then on forward() returns
  /// its input. False, and nothing changes, when it is in training mode, folded already, or of other channels.
  bool fold_into(Conv2d& conv);
  bool folded() const noexcept { return folded_; }
  /// In training, statistics are those of the batches of all peers from now on, as of one batch in one process; null:
  /// of this process's alone. `peers` outlives that.
  void share_with(const BatchPeers* peers) noexcept { peers_ = peers; }
  const at::Tensor& batches_tracked() const noexcept { return batches_tracked_; }

 private:
  double eps_;
  double momentum_;
  bool folded_ = false;
  const BatchPeers* peers_ = nullptr;
  at::Tensor weight_, bias_, running_mean_, running_var_, batches_tracked_;
};

/// norm.forward(conv.forward(x), activation, more): one pass over the map where `norm` is folded into `conv` and that
/// is frozen.
NEPHRON_API at::Tensor conv_norm(const Conv2d& conv, BatchNorm2d& norm, const at::Tensor& x, Activation activation,
                                 const at::Tensor& more = {});

}  // namespace nephron::nn
