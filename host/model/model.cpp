#include <host/model/model.hpp>

#include <nephron/error.hpp>
#include <nephron/nn/resize.hpp>

#include <host/plugins/guard.hpp>
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
  head_spec_ = guarded(*decoder_, "when asked for its head", [&] { return decoder_->head(); });
  if (levels_.size() < 2) throw Error("the encoder tells fewer than two levels");
  multiple_ = levels_.back().stride;
  register_module<torch::nn::Module>("encoder", encoder_);
  register_module<torch::nn::Module>("decoder", decoder_);
  struct Holder final : torch::nn::Module {};  // SMP's head is a sequence whose first member has the weights
  auto head = register_module("segmentation_head", std::make_shared<Holder>());
  head_ = head->register_module(
      "0", std::make_shared<nn::Conv2d>(
               nn::ConvShape{.in = head_spec_.in_channels, .out = classes, .kernel = head_spec_.kernel, .bias = true}));
}

SegmentationModel::~SegmentationModel() = default;

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

at::Tensor SegmentationModel::forward(const at::Tensor& image) {
  std::vector<at::Tensor> features = guarded(*encoder_, "in forward", [&] {
    std::vector<at::Tensor> made = encoder_->forward(image);
    check_features(made, image);
    return made;
  });
  for (const at::Tensor& f : features) mark_backward(f, encoder_place_);
  at::Tensor map = guarded(*decoder_, "in forward", [&] {
    at::Tensor made = decoder_->forward(features);
    if (!made.defined() || made.dim() != 4 || made.size(1) != head_spec_.in_channels)
      throw Error("the decoder promised " + std::to_string(head_spec_.in_channels) + " channels and gave " +
                  (made.defined() ? shape_text(made.sizes()) : "an undefined tensor"));
    return made;
  });
  mark_backward(map, decoder_place_);
  features.clear();
  const at::Tensor logits = head_->forward(map);
  mark_backward(logits, nullptr);
  return head_spec_.upsampling == 1 ? logits : nn::upsample_bilinear(logits, head_spec_.upsampling);
}

}  // namespace nephron::host
