#include <algorithm>
#include <array>
#include <numeric>
#include <string>

#include <ATen/ops/addcmul.h>
#include <ATen/ops/full.h>

#include <nephron/encoder.hpp>
#include <nephron/nn/blocks.hpp>
#include <nephron/nn/drop_path.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/layer_norm.hpp>
#include <nephron/nn/linear.hpp>
#include <nephron/nn/recompute.hpp>

namespace {

namespace nn = nephron::nn;

constexpr double eps = 1e-6;
constexpr double first_scale = 1e-6;  // of each branch: a network begins as its shortcuts
constexpr std::size_t stages = 4;     // strides 4, 8, 16, 32

struct Variant {
  std::string_view name;
  std::array<int, stages> blocks;
  std::array<std::int64_t, stages> channels;
  bool convolutions = false;  ///< what timm keeps as 1x1 convolutions in its small ones, as matrices in the published
};

constexpr std::array variants{
    Variant{"convnext_atto", {2, 2, 6, 2}, {40, 80, 160, 320}, true},
    Variant{"convnext_femto", {2, 2, 6, 2}, {48, 96, 192, 384}, true},
    Variant{"convnext_pico", {2, 2, 6, 2}, {64, 128, 256, 512}, true},
    Variant{"convnext_nano", {2, 2, 8, 2}, {80, 160, 320, 640}, true},
    Variant{"convnext_tiny", {3, 3, 9, 3}, {96, 192, 384, 768}},
    Variant{"convnext_small", {3, 3, 27, 3}, {96, 192, 384, 768}},
    Variant{"convnext_base", {3, 3, 27, 3}, {128, 256, 512, 1024}},
};

const Variant& variant_of(std::string_view name) {
  for (const Variant& v : variants)
    if (v.name == name) return v;
  throw nephron::Error("there is no ConvNeXt called \"" + std::string(name) + "\"");
}

struct ConvNeXtParams {
  double drop_path = 0;

  static void describe(nephron::Schema<ConvNeXtParams>& s) {
    s.field("drop_path", &ConvNeXtParams::drop_path,
            "how often the last residual branch is dropped in training, earlier ones less")
        .range(0, 0.99);
  }
};

/// Four times the width and back, at each pixel by itself.
class Mlp final : public torch::nn::Module {
 public:
  Mlp(std::int64_t width, bool convolutions) : torch::nn::Module("Mlp") {
    if (convolutions) {
      conv1_ = register_module("fc1", std::make_shared<nn::Conv2d>(shape(width, 4 * width)));
      conv2_ = register_module("fc2", std::make_shared<nn::Conv2d>(shape(4 * width, width)));
    } else {
      linear1_ = register_module("fc1", std::make_shared<nn::Linear>(width, 4 * width));
      linear2_ = register_module("fc2", std::make_shared<nn::Linear>(4 * width, width));
    }
  }
  /// [N, H, W, C] or, with convolutions, [N, C, H, W]
  at::Tensor forward(const at::Tensor& x) const {
    if (conv1_ != nullptr) return conv2_->forward(nn::activate(conv1_->forward(x), nn::Activation::gelu));
    return linear2_->forward(nn::activate(linear1_->forward(x), nn::Activation::gelu));
  }

 private:
  static nn::ConvShape shape(std::int64_t in, std::int64_t out) { return {.in = in, .out = out, .bias = true}; }
  std::shared_ptr<nn::Conv2d> conv1_, conv2_;
  std::shared_ptr<nn::Linear> linear1_, linear2_;
};

/// x + gamma mlp(norm(depthwise 7x7(x)))
class Block final : public torch::nn::Module {
 public:
  Block(std::int64_t width, bool convolutions, double drop) : torch::nn::Module("Block"), drop_(drop) {
    gamma_ = register_parameter("gamma", at::full({width}, first_scale));
    conv_ = register_module("conv_dw", std::make_shared<nn::Conv2d>(nn::ConvShape{
                                           .in = width, .out = width, .kernel = 7, .groups = width, .bias = true}));
    if (convolutions) map_norm_ = register_module("norm", std::make_shared<nn::LayerNorm2d>(width, eps));
    else norm_ = register_module("norm", std::make_shared<nn::LayerNorm>(width, eps));
    mlp_ = register_module("mlp", std::make_shared<Mlp>(width, convolutions));
  }

  at::Tensor forward(const at::Tensor& input) const {
    const at::Tensor x = conv_->forward(input);
    const at::Tensor branch = map_norm_ != nullptr
                                  ? mlp_->forward(map_norm_->forward(x))
                                  : mlp_->forward(norm_->forward(x.permute({0, 2, 3, 1}))).permute({0, 3, 1, 2});
    at::Tensor scale = gamma_.view({1, -1, 1, 1});
    // Dropping a sample's scale in place of its map spares a pass over the map.
    if (drop_ > 0 && is_training()) scale = nn::drop_path(scale.expand({x.size(0), -1, 1, 1}), drop_, true);
    return at::addcmul(input, branch, scale);
  }

  void dilate(std::int64_t dilation) { conv_->dilate(dilation); }

 private:
  double drop_;
  at::Tensor gamma_;
  std::shared_ptr<nn::Conv2d> conv_;
  std::shared_ptr<nn::LayerNorm> norm_;
  std::shared_ptr<nn::LayerNorm2d> map_norm_;
  std::shared_ptr<Mlp> mlp_;
};

/// Normalisation and a 2x2 convolution of stride 2, which the first stage has not; then blocks.
class Stage final : public torch::nn::Module {
 public:
  Stage(std::int64_t in, std::int64_t width, bool convolutions, const std::vector<double>& drops)
      : torch::nn::Module("Stage") {
    if (in != width) {
      auto downsample = register_module("downsample", std::make_shared<nn::ModuleList>());
      downsample->append(norm_ = std::make_shared<nn::LayerNorm2d>(in, eps));
      const nn::ConvShape halving{.in = in, .out = width, .kernel = 2, .stride = 2, .bias = true};
      downsample->append(conv_ = std::make_shared<nn::Conv2d>(halving, nn::Padding{}));
    }
    auto blocks = register_module("blocks", std::make_shared<nn::ModuleList>());
    for (const double drop : drops) {
      blocks_.push_back(std::make_shared<Block>(width, convolutions, drop));
      blocks->append(blocks_.back());
    }
  }

  at::Tensor forward(const at::Tensor& input) const {
    at::Tensor x = conv_ != nullptr ? conv_->forward(norm_->forward(input)) : input;
    for (const auto& block : blocks_)
      x = nn::recomputed(*block, {x}, [b = block.get()](const auto& in) { return b->forward(in[0]); });
    return x;
  }

  /// The halving sees the map as it was before, so half as far apart.
  void dilate(std::int64_t dilation) {
    if (conv_ != nullptr) conv_->dilate(dilation / 2);
    for (const auto& block : blocks_) block->dilate(dilation);
  }

 private:
  std::shared_ptr<nn::LayerNorm2d> norm_;
  std::shared_ptr<nn::Conv2d> conv_;
  std::vector<std::shared_ptr<Block>> blocks_;
};

class ConvNeXt final : public nephron::Encoder, public nephron::PublishedNames {
 public:
  ConvNeXt(const ConvNeXtParams& params, nephron::Context& context)
      : params_(params), variant_(variant_of(context.component())) {}

  void build(const nephron::EncoderOptions& options) override {
    if (options.depth < 2 || options.depth > 5)
      throw nephron::Error("a ConvNeXt reaches strides 4 to 32, depths 2 to 5, and not depth " +
                           std::to_string(options.depth));
    auto model = register_module("model", std::make_shared<nn::ModuleList>());
    const nn::ConvShape patches{
        .in = options.in_channels, .out = variant_.channels[0], .kernel = 4, .stride = 4, .bias = true};
    stem_ = model->register_module("stem_0", std::make_shared<nn::Conv2d>(patches, nn::Padding{}));
    stem_norm_ = model->register_module("stem_1", std::make_shared<nn::LayerNorm2d>(variant_.channels[0], eps));
    levels_ = {{options.in_channels, 1}};
    std::int64_t in = variant_.channels[0];
    // As in SMP, stages that are not asked for are not made.
    for (std::size_t i = 0; static_cast<int>(i) + 2 <= options.depth; ++i) {
      const std::int64_t width = variant_.channels[i];
      stages_.push_back(model->register_module("stages_" + std::to_string(i),
                                               std::make_shared<Stage>(in, width, variant_.convolutions, drops(i))));
      levels_.push_back({width, std::int64_t{4} << i});
      in = width;
    }
    draw_first_weights();
  }

  std::vector<nephron::Level> levels() const override { return levels_; }

  /// timm's "stages.0.blocks..." is "model.stages_0.blocks..." within SMP.
  std::string own_name(const std::string& name) const override {
    for (const std::string_view part : {"stem.", "stages."})
      if (name.starts_with(part))
        return "model." + std::string(part.substr(0, part.size() - 1)) + "_" + name.substr(part.size());
    return name;
  }

  void set_output_stride(int stride) override {
    if (stride != 8 && stride != 16)
      throw nephron::Error("a ConvNeXt's output stride can be lowered to 16 or 8, not " + std::to_string(stride));
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      nephron::Level& level = levels_[i + 1];
      if (level.stride > stride) stages_[i]->dilate(level.stride / stride);
      level.stride = std::min<std::int64_t>(level.stride, stride);
    }
  }

  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    std::vector<at::Tensor> features{image};
    at::Tensor x = stem_norm_->forward(stem_->forward(image));
    for (const auto& stage : stages_) features.push_back(x = stage->forward(x));
    return features;
  }

 private:
  /// Of a stage's blocks: from 0 at the first block of the network to drop_path at the last of all, made or not.
  std::vector<double> drops(std::size_t stage) const {
    const auto& counts = variant_.blocks;
    const int all = std::accumulate(counts.begin(), counts.end(), 0);
    const int before = std::accumulate(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(stage), 0);
    std::vector<double> out;
    for (int i = 0; i < counts[stage]; ++i) out.push_back(params_.drop_path * (before + i) / (all - 1));
    return out;
  }

  void draw_first_weights() {
    const auto draw = [](auto& layer) {
      nn::init_truncated_normal(layer.weight(), 0.02);
      layer.bias().detach().zero_();
    };
    for (const auto& module : modules()) {
      if (auto* conv = dynamic_cast<nn::Conv2d*>(module.get())) draw(*conv);
      if (auto* linear = dynamic_cast<nn::Linear*>(module.get())) draw(*linear);
    }
  }

  ConvNeXtParams params_;
  const Variant& variant_;
  std::vector<nephron::Level> levels_;
  std::shared_ptr<nn::Conv2d> stem_;
  std::shared_ptr<nn::LayerNorm2d> stem_norm_;
  std::vector<std::shared_ptr<Stage>> stages_;
};

}  // namespace

NEPHRON_PLUGIN("convnext", "1.0.0")
#define CONVNEXT(name, doc) NEPHRON_COMPONENT(nephron::Encoder, ConvNeXt, name, doc)
CONVNEXT("convnext_atto", "ConvNeXt-A, timm's (Liu et al. 2022, arXiv:2201.03545)")
CONVNEXT("convnext_femto", "ConvNeXt-F, timm's (Liu et al. 2022, arXiv:2201.03545)")
CONVNEXT("convnext_pico", "ConvNeXt-P, timm's (Liu et al. 2022, arXiv:2201.03545)")
CONVNEXT("convnext_nano", "ConvNeXt-N, timm's (Liu et al. 2022, arXiv:2201.03545)")
CONVNEXT("convnext_tiny", "ConvNeXt-T (Liu et al. 2022, arXiv:2201.03545)")
CONVNEXT("convnext_small", "ConvNeXt-S (Liu et al. 2022, arXiv:2201.03545)")
CONVNEXT("convnext_base", "ConvNeXt-B (Liu et al. 2022, arXiv:2201.03545)")
