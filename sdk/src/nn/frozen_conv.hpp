#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <nephron/nn/conv.hpp>

#include "narrow_conv.hpp"
#include "winograd_conv.hpp"

namespace nephron::nn {

/// What a convolution is made of.
struct ConvParts {
  ConvShape shape;
  Padding padding;
  std::int64_t dilation = 1;
  at::Tensor weight, bias;  ///< bias: may be undefined
};

/// A convolution with packed weights, joined with what follows it (Conv2d::freeze): by own kernels where there are
/// some, else by oneDNN.
class FrozenConv {
 public:
  /// Null where there is no packed form.
  static std::shared_ptr<const FrozenConv> make(const ConvParts& parts, const Freezing& how);
  FrozenConv(const ConvParts& parts, const Freezing& how);

  at::Tensor forward(const at::Tensor& x, Activation activation, const at::Tensor& more) const;
  bool upsamples() const noexcept { return winograd_ != nullptr; }
  at::Tensor forward_upsampled(const at::Tensor& x, const at::Tensor& skip, Activation activation) const;

 private:
  at::Tensor by_onednn(const at::Tensor& x, Activation activation, const at::Tensor& more) const;
  at::Tensor packed_for(const at::Tensor& x, std::int64_t padding) const;
  at::Tensor as_map(const at::Tensor& x) const;

  ConvParts parts_;
  std::unique_ptr<const WinogradConv> winograd_;
  std::unique_ptr<const NarrowConv> narrow_;
  // oneDNN packs for a form of the input: at the first one, and again when another comes.
  mutable std::mutex mutex_;
  mutable at::Tensor packed_;
  mutable std::vector<std::int64_t> packed_for_;
};

}  // namespace nephron::nn
