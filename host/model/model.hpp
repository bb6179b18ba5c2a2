#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nephron/decoder.hpp>
#include <nephron/encoder.hpp>
#include <nephron/nn/conv.hpp>

#include <host/config/experiment.hpp>
#include <host/model/backward.hpp>
#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// encoder. + decoder. + segmentation_head., with SMP's names. Calls into plugins are guarded.
class SegmentationModel : public torch::nn::Module {
 public:
  /// `encoder` and `decoder` are built already.
  SegmentationModel(std::shared_ptr<Encoder> encoder, std::shared_ptr<Decoder> decoder, std::int64_t classes);
  ~SegmentationModel() override;
  /// [N, in, H, W] -> logits [N, classes, H, W]
  at::Tensor forward(const at::Tensor& image);
  /// Logits of the decoder's auxiliary maps (AuxiliaryMaps) of the last forward in training mode, once; of the same
  /// form. Empty where the decoder has none.
  std::vector<at::Tensor> take_auxiliary();
  /// In training, blocks of the encoder and the decoder (nn::recomputed) are run again for their gradients. Warns once
  /// where there are none.
  void recompute(bool on) noexcept { recompute_ = on; }
  bool recomputes() const noexcept { return recompute_; }
  /// Sides must be multiples of this.
  std::int64_t multiple() const noexcept { return multiple_; }
  const std::vector<Level>& levels() const noexcept { return levels_; }

 private:
  /// A head and what it is made for.
  struct Head {
    std::shared_ptr<nn::Conv2d> conv;
    HeadSpec spec;
  };
  Head make_head(Module& parent, const std::string& name, const HeadSpec& spec, std::int64_t classes) const;
  at::Tensor logits_of(const at::Tensor& map, const Head& head) const;
  void tell_unless_recomputed(std::size_t blocks_before);
  void check_features(const std::vector<at::Tensor>& features, const at::Tensor& image) const;

  std::shared_ptr<Encoder> encoder_;
  std::shared_ptr<Decoder> decoder_;
  AuxiliaryMaps* auxiliary_maps_ = nullptr;  ///< the decoder, where it gives any
  Head head_;
  std::vector<Head> auxiliary_heads_;
  std::vector<at::Tensor> auxiliary_;
  std::vector<Level> levels_;
  std::int64_t multiple_ = 32;
  bool recompute_ = false, told_ = false;
  const BackwardPlace *encoder_place_, *decoder_place_;
};

/// Builds the experiment's model on the CPU and loads the weights that it names. Random initialisation is a function
/// of `seed` alone. `load`: false leaves the weights out, for what only needs names and shapes. `lent`: says where the
/// model will run.
std::shared_ptr<SegmentationModel> build_model(const ModelConfig& config, std::int64_t classes,
                                               const Registry& registry, std::uint64_t seed, bool load = true,
                                               const JobServices& services = {});

}  // namespace nephron::host
