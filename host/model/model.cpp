#include <host/model/model.hpp>

#include <utility>

#include <nephron/error.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/recompute.hpp>
#include <nephron/nn/resize.hpp>

#include <host/plugins/guard.hpp>
#include <host/util/log.hpp>
#include <host/weights/tensors.hpp>

namespace nephron::host {

SegmentationModel::SegmentationModel(std::shared_ptr<Encoder> encoder, std::shared_ptr<Decoder> decoder,
                                     std::int64_t classes)
    : torch::nn::Module("SegmentationModel"),
      encoder_(std::move(encoder)),
      decoder_(std::move(decoder)),
      encoder_place_(backward_place(origin_of(*encoder_))),
      decoder_place_(backward_place(origin_of(*decoder_))) {
  levels_ = guarded(*encoder_, "when asked for its levels", [&] { return encoder_->levels(); });
  if (levels_.size() < 2) throw Error("the encoder tells fewer than two levels");
  multiple_ = levels_.back().stride;
  register_module<torch::nn::Module>("encoder", encoder_);
  register_module<torch::nn::Module>("decoder", decoder_);
  struct Holder final : torch::nn::Module {};  // SMP's head is a sequence whose first member has the weights
  const HeadSpec spec = guarded(*decoder_, "when asked for its head", [&] { return decoder_->head(); });
  head_ = make_head(*register_module("segmentation_head", std::make_shared<Holder>()), "0", spec, classes);
  auto* const maps = dynamic_cast<AuxiliaryMaps*>(decoder_.get());
  if (maps == nullptr) return;
  const std::vector<HeadSpec> specs =
      guarded(*decoder_, "when asked for its auxiliary heads", [&] { return maps->auxiliary_heads(); });
  if (specs.empty()) return;
  auxiliary_maps_ = maps;
  const auto holder = register_module("auxiliary_heads", std::make_shared<Holder>());
  for (const HeadSpec& one : specs)
    auxiliary_heads_.push_back(make_head(*holder, std::to_string(auxiliary_heads_.size()), one, classes));
}

SegmentationModel::~SegmentationModel() = default;

SegmentationModel::Head SegmentationModel::make_head(Module& parent, const std::string& name, const HeadSpec& spec,
                                                     std::int64_t classes) const {
  auto conv =
      parent.register_module(name, std::make_shared<nn::Conv2d>(nn::ConvShape{
                                       .in = spec.in_channels, .out = classes, .kernel = spec.kernel, .bias = true}));
  if (spec.glorot) nn::init_convs(*conv, nn::init_xavier_uniform);
  return {std::move(conv), spec};
}

at::Tensor SegmentationModel::logits_of(const at::Tensor& map, const Head& head) const {
  if (!map.defined() || map.dim() != 4 || map.size(1) != head.spec.in_channels)
    throw Error("the decoder promised " + std::to_string(head.spec.in_channels) + " channels and gave " +
                (map.defined() ? shape_text(map.sizes()) : "an undefined tensor"));
  const at::Tensor logits = head.conv->forward(map);
  mark_backward(logits, nullptr);
  return head.spec.upsampling == 1 ? logits : nn::upsample_bilinear(logits, head.spec.upsampling);
}

void SegmentationModel::check_features(const std::vector<at::Tensor>& features, const at::Tensor& image) const {
  const auto fail = [](const std::string& why) {
    throw Error("the encoder's features are not what its levels say: " + why);
  };
  if (features.size() != levels_.size())
    fail(std::to_string(features.size()) + " tensors for " + std::to_string(levels_.size()) + " levels");
  for (std::size_t i = 0; i < features.size(); ++i) {
    const at::Tensor& f = features[i];
    const std::int64_t s = levels_[i].stride;
    const std::vector<std::int64_t> expected{image.size(0), levels_[i].channels, (image.size(2) + s - 1) / s,
                                             (image.size(3) + s - 1) / s};
    // Sides that are no multiples of the coarsest stride may be rounded either way.
    const bool whole = image.size(2) % multiple_ == 0 && image.size(3) % multiple_ == 0;
    const bool good = f.defined() && f.dim() == 4 && f.size(0) == expected[0] && f.size(1) == expected[1] &&
                      (!whole || f.sizes() == at::IntArrayRef(expected));
    if (!good)
      fail("level " + std::to_string(i) + " should be " + shape_text(expected) + " and is " +
           (f.defined() ? shape_text(f.sizes()) : "undefined"));
  }
}

void SegmentationModel::tell_unless_recomputed(std::size_t blocks_before) {
  if (told_ || !recompute_ || !is_training() || !c10::GradMode::is_enabled()) return;
  told_ = true;
  if (nn::Recompute::blocks() == blocks_before)
    log().warning("model.checkpointing saves nothing: neither " + origin_of(*encoder_).component + " nor " +
                  origin_of(*decoder_).component + " says where its blocks are (nn::recomputed)");
}

at::Tensor SegmentationModel::forward(const at::Tensor& image) {
  const nn::Recompute recompute(recompute_ && is_training());
  const std::size_t blocks_before = nn::Recompute::blocks();
  std::vector<at::Tensor> features = guarded(*encoder_, "in forward", [&] {
    std::vector<at::Tensor> made = encoder_->forward(image);
    check_features(made, image);
    return made;
  });
  for (const at::Tensor& f : features) mark_backward(f, encoder_place_);
  auxiliary_.clear();
  std::vector<at::Tensor> maps = guarded(*decoder_, "in forward", [&] {
    std::vector<at::Tensor> made{decoder_->forward(features)};
    if (auxiliary_maps_ != nullptr && is_training())
      for (at::Tensor& more : auxiliary_maps_->take_auxiliary_maps()) made.push_back(std::move(more));
    return made;
  });
  features.clear();
  tell_unless_recomputed(blocks_before);
  if (maps.size() > 1 && maps.size() != auxiliary_heads_.size() + 1)
    throw Error("the decoder has " + std::to_string(auxiliary_heads_.size()) + " auxiliary heads and gave " +
                std::to_string(maps.size() - 1) + " maps");
  for (const at::Tensor& map : maps) mark_backward(map, decoder_place_);
  for (std::size_t i = 1; i < maps.size(); ++i) {
    auxiliary_.push_back(logits_of(maps[i], auxiliary_heads_[i - 1]));
    if (auxiliary_.back().sizes().slice(2) != image.sizes().slice(2))
      throw Error("auxiliary map " + std::to_string(i - 1) + " of the decoder gives logits of " +
                  shape_text(auxiliary_.back().sizes()) + " for an image of " + shape_text(image.sizes()));
  }
  return logits_of(maps.front(), head_);
}

std::vector<at::Tensor> SegmentationModel::take_auxiliary() { return std::exchange(auxiliary_, {}); }

}  // namespace nephron::host
