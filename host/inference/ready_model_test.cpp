// A stage that would change the answer of a model is left out, whatever the order in which a plugin runs its layers.
#include <host/inference/ready_model.hpp>

#include <ATen/Context.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <nephron/nn/batch_norm.hpp>
#include <nephron/nn/conv.hpp>

namespace nephron::host {
namespace {

/// One convolution and one normalisation, which stand behind each other among the children.
class OneBlock final : public Encoder {
 public:
  /// `between`: something lies between the two when they run.
  explicit OneBlock(bool between) : between_(between) {}
  void build(const EncoderOptions& options) override {
    conv_ = register_module("conv", std::make_shared<nn::Conv2d>(nn::ConvShape{options.in_channels, 8, 3}));
    norm_ = register_module("norm", std::make_shared<nn::BatchNorm2d>(8));
  }
  std::vector<Level> levels() const override { return {{3, 1}, {8, 1}}; }
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    const at::Tensor map = conv_->forward(image);
    return {image, norm_->forward(between_ ? at::relu(map) : map, nn::Activation::relu)};
  }

 private:
  bool between_;
  std::shared_ptr<nn::Conv2d> conv_;
  std::shared_ptr<nn::BatchNorm2d> norm_;
};

class Last final : public Decoder {
 public:
  int depth() const override { return 1; }
  void build(const std::vector<Level>&) override {}
  HeadSpec head() const override { return {8, 1, 1}; }
  at::Tensor forward(const std::vector<at::Tensor>& features) override { return features[1]; }
};

std::shared_ptr<SegmentationModel> model_of(bool between) {
  at::manual_seed(3);
  const auto encoder = std::make_shared<OneBlock>(between);
  encoder->build({});
  auto out = std::make_shared<SegmentationModel>(encoder, std::make_shared<Last>(), 2);
  for (auto& buffer : out->named_buffers())  // as if it had been trained
    if (buffer.key().ends_with("running_mean")) buffer.value().copy_(at::randn({8}));
    else if (buffer.key().ends_with("running_var")) buffer.value().copy_(at::rand({8}) + 0.5);
  out->eval();
  return out;
}

class Ready : public testing::TestWithParam<bool> {};

TEST_P(Ready, AnswersAsItDidBefore) {
  const bool between = GetParam();
  const c10::InferenceMode inference;
  const ReadyModel ready = made_ready([&] { return model_of(between); }, c10::kCPU, std::nullopt);
  EXPECT_EQ(ready.folded, !between) << "folded where something lies between, or not where nothing does";
  at::manual_seed(4);
  const at::Tensor picture = at::randn({2, 3, 32, 48});
  const at::Tensor is = at::sigmoid(ready.model->forward(picture)),
                   was = at::sigmoid(model_of(between)->forward(picture));
  EXPECT_LT((is - was).abs().max().item<double>(), most_change);
}

INSTANTIATE_TEST_SUITE_P(WhateverLiesBetween, Ready, testing::Bool());

}  // namespace
}  // namespace nephron::host
