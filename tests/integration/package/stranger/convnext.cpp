#include <ATen/ops/full.h>
#include <nephron/encoder.hpp>
#include <nephron/nn/blocks.hpp>
#include <nephron/nn/drop_path.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/layer_norm.hpp>
#include <nephron/nn/linear.hpp>

namespace nn = nephron::nn;

struct ConvNeXtParams {
  std::int64_t width = 16;
  int blocks = 1;
  double drop_path = 0.1;

  static void describe(nephron::Schema<ConvNeXtParams>& s) {
    s.field("width", &ConvNeXtParams::width, "channels at stride 4; twice as many at each next one").range(1, 1024);
    s.field("blocks", &ConvNeXtParams::blocks, "of each stage").range(1, 100);
    s.field("drop_path", &ConvNeXtParams::drop_path, "how often a branch is dropped").range(0, 0.9);
  }
};

class Block final : public torch::nn::Module {
 public:
  Block(std::int64_t width, double drop) : drop_(drop) {
    const nn::ConvShape shape{.in = width, .out = width, .kernel = 7, .groups = width, .bias = true};
    conv_ = register_module("conv", std::make_shared<nn::Conv2d>(shape));
    norm_ = register_module("norm", std::make_shared<nn::LayerNorm>(width));
    wider_ = register_module("wider", std::make_shared<nn::Linear>(width, 4 * width));
    narrower_ = register_module("narrower", std::make_shared<nn::Linear>(4 * width, width));
    scale_ = register_parameter("scale", at::full({width}, 1e-6));
    nn::init_truncated_normal(wider_->weight(), 0.02);
    nn::init_truncated_normal(narrower_->weight(), 0.02);
  }
  at::Tensor forward(const at::Tensor& x) const {
    at::Tensor y = norm_->forward(conv_->forward(x).permute({0, 2, 3, 1}));
    y = narrower_->forward(nn::activate(wider_->forward(y), nn::Activation::gelu)) * scale_;
    return x + nn::drop_path(y.permute({0, 3, 1, 2}), drop_, is_training());
  }

 private:
  double drop_;
  std::shared_ptr<nn::Conv2d> conv_;
  std::shared_ptr<nn::LayerNorm> norm_;
  std::shared_ptr<nn::Linear> wider_, narrower_;
  at::Tensor scale_;
};

class ConvNeXt final : public nephron::Encoder {
 public:
  explicit ConvNeXt(const ConvNeXtParams& params) : params_(params) {}

  void build(const nephron::EncoderOptions& options) override {
    if (options.depth < 2 || options.depth > 5) throw nephron::Error("it has strides 4 to 32, which are depths 2 to 5");
    levels_ = {{options.in_channels, 1}};
    for (int i = 2; i <= options.depth; ++i) {
      const nephron::Level before = levels_.back();
      levels_.push_back({params_.width << (i - 2), std::int64_t{1} << i});
      const nephron::Level& level = levels_.back();
      const std::int64_t side = level.stride / before.stride;
      const nn::ConvShape shape{
          .in = before.channels, .out = level.channels, .kernel = side, .stride = side, .bias = true};
      const std::string name = "stage" + std::to_string(i - 1);
      auto stage = register_module(name, std::make_shared<nn::ModuleList>());
      Stage made{
          std::make_shared<nn::Conv2d>(shape, nn::Padding{}), std::make_shared<nn::LayerNorm2d>(level.channels), {}};
      stage->append(made.reduce);
      stage->append(made.norm);
      for (int b = 0; b < params_.blocks; ++b) {
        made.blocks.push_back(std::make_shared<Block>(level.channels, params_.drop_path));
        stage->append(made.blocks.back());
      }
      stages_.push_back(std::move(made));
    }
  }

  std::vector<nephron::Level> levels() const override { return levels_; }

  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    std::vector<at::Tensor> out{image};
    for (const Stage& stage : stages_) {
      at::Tensor x = stage.norm->forward(stage.reduce->forward(out.back()));
      for (const auto& block : stage.blocks) x = block->forward(x);
      out.push_back(x);
    }
    return out;
  }

 private:
  struct Stage {
    std::shared_ptr<nn::Conv2d> reduce;
    std::shared_ptr<nn::LayerNorm2d> norm;
    std::vector<std::shared_ptr<Block>> blocks;
  };
  ConvNeXtParams params_;
  std::vector<nephron::Level> levels_;
  std::vector<Stage> stages_;
};

NEPHRON_PLUGIN("outside_convnext", "1.0.0")
NEPHRON_COMPONENT(nephron::Encoder, ConvNeXt, "outside_convnext", "a small ConvNeXt (Liu et al. 2022)")
