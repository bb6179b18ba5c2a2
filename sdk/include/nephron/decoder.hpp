#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <nephron/encoder.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// The last layer, which the host makes: a convolution to the classes, then bilinear upsampling (corners aligned).
struct HeadSpec {
  std::int64_t in_channels = 0;  ///< of the decoder's map
  int kernel = 3;                ///< odd
  int upsampling = 1;            ///< from the decoder's map to the image
  bool glorot = true;            ///< first weights Glorot uniform, bias 0; otherwise as PyTorch begins a convolution
  Room room{};
};

/// A torch module that joins an encoder's features into one map. State-dict names follow Segmentation Models PyTorch
/// where it has the model, as an encoder's do. Used by one thread at a time. In eval mode each sample is treated alone.
/// An Error of build() is a fault of the experiment, told before any slide is prepared; one of forward() ends the run.
class NEPHRON_API Decoder : public torch::nn::Module, public Component {
 public:
  static constexpr std::string_view kind = "decoder";
  ~Decoder() override;

  /// Encoder depth and output stride that this decoder wants; the host builds the encoder accordingly.
  virtual int depth() const { return 5; }
  virtual int output_stride() const { return 32; }
  /// Called once, before forward: makes the layers for these levels (input first). Throws Error that explains what
  /// is needed and missing.
  virtual void build(const std::vector<Level>& levels) = 0;
  virtual HeadSpec head() const = 0;
  /// features: one tensor a level, as the encoder gave them for an image of H x W, never changed in place. Returns [N,
  /// head().in_channels, H / head().upsampling, W / head().upsampling] on their device; under autocast bf16 or fp16 may
  /// come and go.
  virtual at::Tensor forward(const std::vector<at::Tensor>& features) = 0;
};

/// A decoder that gives maps besides the one that is predicted from, so that layers far from the end are trained by the
/// loss itself (deep supervision). A Decoder inherits it besides; the host asks for it with dynamic_cast, makes a head
/// for each map ("auxiliary_heads.0", ...) and adds the loss of their logits. None of it runs in prediction.
class NEPHRON_API AuxiliaryMaps {
 public:
  virtual ~AuxiliaryMaps();
  /// After build(): the heads; none where the parameters ask for none.
  virtual std::vector<HeadSpec> auxiliary_heads() const = 0;
  /// The maps of the last forward() in training mode, one a head, with the form that Decoder::forward() promises of its
  /// own; they are given once. Nothing after a forward() in eval mode.
  virtual std::vector<at::Tensor> take_auxiliary_maps() = 0;
};

}  // namespace nephron
