#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <torch/nn/module.h>

#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/plugin.hpp>
#include <nephron/room.hpp>
#include <nephron/torch.hpp>

namespace nephron {

/// One output of an encoder: [N, channels, H / stride, W / stride]. Strides of neighbours may be equal, and may skip a
/// power of two: a stem that reduces four times at once gives the input (stride 1) and a first level of stride 4; a
/// decoder does without (nn::every_halving in <nephron/nn/levels.hpp>) or says that it needs it. Every level has
/// channels: what an encoder has not, it does not list.
struct Level {
  std::int64_t channels = 0;
  std::int64_t stride = 1;
  Room room{};
};

/// What the host decides for a model, besides the component's own parameters.
struct EncoderOptions {
  std::int64_t in_channels = 3;
  int depth = 5;  ///< levels after the input, those that the encoder skips counted: 5 is down to stride 32
  Room room{};
};

/// A torch module that turns an image into features. State-dict names follow Segmentation Models PyTorch where it has
/// the model, so that weights move both ways; what is kept for those names alone and never used is declared with
/// nn::store_only (<nephron/nn/stored.hpp>). Used by one thread at a time. In eval mode each sample is treated alone.
/// An Error of build() is a fault of the experiment, told before any slide is prepared; one of forward() ends the run.
class NEPHRON_API Encoder : public torch::nn::Module, public Component {
 public:
  static constexpr std::string_view kind = "encoder";
  ~Encoder() override;

  /// Called once, before anything else: makes the layers. Throws Error for options that this encoder cannot serve.
  virtual void build(const EncoderOptions& options) = 0;
  /// The input first (stride 1), then finer to coarser: depth + 1 levels, one less for each stride that is skipped.
  virtual std::vector<Level> levels() const = 0;
  /// image [N, in_channels, H, W] float32, any memory format, on the device of the weights, never changed in place;
  /// sides are multiples of the coarsest stride. One tensor a level; the first is the input. Under autocast the others
  /// may be bf16 or fp16.
  virtual std::vector<at::Tensor> forward(const at::Tensor& image) = 0;
  /// After build(): lowers the coarsest stride to 16 or 8 by dilation, names and shapes of the weights kept
  /// (nn::dilate does it for what is made of nn::Conv2d). The default refuses with an Error that says so.
  virtual void set_output_stride(int stride);
};

/// An encoder whose published weights bear other names than SMP gives them inherits this too, so that a file loads as
/// it is published: timm's ConvNeXt, which SMP holds under "model.". Const calls are thread-safe.
class NEPHRON_API PublishedNames {
 public:
  virtual ~PublishedNames();
  /// The encoder's own name for a tensor of a published file; `name` itself where there is none.
  virtual std::string own_name(const std::string& name) const = 0;
};

}  // namespace nephron
