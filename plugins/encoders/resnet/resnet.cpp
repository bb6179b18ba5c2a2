#include <array>
#include <string>

#include <ATen/ops/max_pool2d.h>

#include <nephron/encoder.hpp>
#include <nephron/nn/blocks.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/recompute.hpp>

namespace {

namespace nn = nephron::nn;

struct Variant {
  std::string_view name;
  std::array<int, 4> blocks;
  bool bottleneck;
};

constexpr std::array variants{
    Variant{"resnet18", {2, 2, 2, 2}, false},  Variant{"resnet34", {3, 4, 6, 3}, false},
    Variant{"resnet50", {3, 4, 6, 3}, true},   Variant{"resnet101", {3, 4, 23, 3}, true},
    Variant{"resnet152", {3, 8, 36, 3}, true},
};

const Variant& variant_of(std::string_view name) {
  for (const Variant& v : variants)
    if (v.name == name) return v;
  throw nephron::Error("there is no ResNet called \"" + std::string(name) + "\"");
}

/// Two 3x3 convolutions, or 1x1, 3x3 (which has the stride) and 1x1 to four times the width; and the shortcut.
class Block final : public torch::nn::Module {
 public:
  Block(std::int64_t in, std::int64_t width, std::int64_t stride, bool bottleneck) : torch::nn::Module("Block") {
    const std::int64_t out = bottleneck ? 4 * width : width;
    if (bottleneck) {
      add({.in = in, .out = width});
      add({.in = width, .out = width, .kernel = 3, .stride = stride});
      add({.in = width, .out = out});
    } else {
      add({.in = in, .out = width, .kernel = 3, .stride = stride});
      add({.in = width, .out = width, .kernel = 3});
    }
    if (stride == 1 && in == out) return;
    auto downsample = register_module("downsample", std::make_shared<nn::ModuleList>());
    shortcut_.conv = downsample->register_module(
        "0", std::make_shared<nn::Conv2d>(nn::ConvShape{.in = in, .out = out, .stride = stride}));
    shortcut_.norm = downsample->register_module("1", std::make_shared<nn::BatchNorm2d>(out));
  }

  at::Tensor forward(const at::Tensor& input) {
    at::Tensor x = input;
    for (std::size_t i = 0; i + 1 < steps_.size(); ++i) x = steps_[i].forward(x, nn::Activation::relu);
    const at::Tensor shortcut = shortcut_.conv != nullptr ? shortcut_.forward(input, nn::Activation::none) : input;
    return steps_.back().forward(x, nn::Activation::relu, shortcut);
  }

 private:
  struct Step {
    std::shared_ptr<nn::Conv2d> conv;
    std::shared_ptr<nn::BatchNorm2d> norm;
    at::Tensor forward(const at::Tensor& x, nn::Activation activation, const at::Tensor& more = {}) const {
      return nn::conv_norm(*conv, *norm, x, activation, more);
    }
  };

  void add(const nn::ConvShape& shape) {
    const std::string n = std::to_string(steps_.size() + 1);
    auto conv = register_module("conv" + n, std::make_shared<nn::Conv2d>(shape));
    steps_.push_back({conv, register_module("bn" + n, std::make_shared<nn::BatchNorm2d>(shape.out))});
  }

  std::vector<Step> steps_;
  Step shortcut_;
};

class Resnet final : public nephron::Encoder {
 public:
  explicit Resnet(nephron::Context& context) : variant_(variant_of(context.component())) {}

  void build(const nephron::EncoderOptions& options) override {
    if (options.depth < 1 || options.depth > 5)
      throw nephron::Error("a ResNet has 1 to 5 levels after the input, not " + std::to_string(options.depth));
    depth_ = options.depth;
    levels_ = {{options.in_channels, 1}, {64, 2}};
    conv_ = register_module("conv1", std::make_shared<nn::Conv2d>(nn::ConvShape{
                                         .in = options.in_channels, .out = 64, .kernel = 7, .stride = 2}));
    norm_ = register_module("bn1", std::make_shared<nn::BatchNorm2d>(64));
    // All four stages are made whatever the depth, so that weights of the whole encoder always fit.
    std::int64_t in = 64;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const std::int64_t width = std::int64_t{64} << i;
      in = add_stage(i, in, width);
      levels_.push_back({in, std::int64_t{4} << i});
    }
    levels_.resize(static_cast<std::size_t>(depth_) + 1);
    nn::init_convs(*this, nn::init_kaiming_normal_fan_out);
  }

  std::vector<nephron::Level> levels() const override { return levels_; }

  void set_output_stride(int stride) override {
    if (stride != 8 && stride != 16)
      throw nephron::Error("a ResNet's output stride can be lowered to 16 or 8, not " + std::to_string(stride));
    for (std::size_t i = stride == 8 ? 2 : 3; i < stages_.size(); ++i) {
      for (const auto& block : stages_[i]) nn::dilate(*block, (std::int64_t{4} << i) / stride);
      if (i + 2 < levels_.size()) levels_[i + 2].stride = stride;
    }
  }

  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    std::vector<at::Tensor> features{image};
    at::Tensor x = nn::conv_norm(*conv_, *norm_, image, nn::Activation::relu);
    features.push_back(x);
    for (int stage = 0; stage + 2 <= depth_; ++stage) {
      if (stage == 0) x = at::max_pool2d(x, 3, 2, 1);
      for (const auto& block : stages_[static_cast<std::size_t>(stage)])
        x = nn::recomputed(*block, {x}, [b = block.get()](const auto& in) { return b->forward(in[0]); });
      features.push_back(x);
    }
    return features;
  }

 private:
  std::int64_t add_stage(std::size_t i, std::int64_t in, std::int64_t width) {
    auto holder = register_module("layer" + std::to_string(i + 1), std::make_shared<nn::ModuleList>());
    for (int n = 0; n < variant_.blocks[i]; ++n) {
      const std::int64_t stride = i > 0 && n == 0 ? 2 : 1;
      auto block = std::make_shared<Block>(in, width, stride, variant_.bottleneck);
      holder->append(block);
      stages_[i].push_back(std::move(block));
      in = variant_.bottleneck ? 4 * width : width;
    }
    return in;
  }

  const Variant& variant_;
  int depth_ = 5;
  std::vector<nephron::Level> levels_;
  std::shared_ptr<nn::Conv2d> conv_;
  std::shared_ptr<nn::BatchNorm2d> norm_;
  std::array<std::vector<std::shared_ptr<Block>>, 4> stages_;
};

}  // namespace

NEPHRON_PLUGIN("resnet", "1.0.0")
NEPHRON_COMPONENT(nephron::Encoder, Resnet, "resnet18", "ResNet-18 (He et al. 2015, arXiv:1512.03385)")
NEPHRON_COMPONENT(nephron::Encoder, Resnet, "resnet34", "ResNet-34 (He et al. 2015, arXiv:1512.03385)")
NEPHRON_COMPONENT(nephron::Encoder, Resnet, "resnet50",
                  "ResNet-50, stride in the 3x3 (He et al. 2015, arXiv:1512.03385)")
NEPHRON_COMPONENT(nephron::Encoder, Resnet, "resnet101",
                  "ResNet-101, stride in the 3x3 (He et al. 2015, arXiv:1512.03385)")
NEPHRON_COMPONENT(nephron::Encoder, Resnet, "resnet152",
                  "ResNet-152, stride in the 3x3 (He et al. 2015, arXiv:1512.03385)")
