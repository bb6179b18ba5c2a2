#include <nephron/encoder.hpp>

#include <ATen/ops/relu.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

struct @CLASS@Params {
  int width = 16;

  static void describe(nephron::Schema<@CLASS@Params>& s) {
    s.field("width", &@CLASS@Params::width, "channels of the first level; each next one has twice as many").range(4, 256);
  }
};

// Plain convolutions of stride 2, one a level.
class @CLASS@Encoder final : public nephron::Encoder {
 public:
  @CLASS@Encoder(const @CLASS@Params& params, nephron::Context&) : params_(params) {}

  void build(const nephron::EncoderOptions& options) override {
    if (options.depth < 1 || options.depth > 5) throw nephron::Error("depth must be in 1 to 5, not " + std::to_string(options.depth));
    levels_ = {{options.in_channels, 1}};
    for (int i = 1; i <= options.depth; ++i) {
      const nephron::Level& before = levels_.back();
      const nephron::Level level{std::int64_t{params_.width} << (i - 1), before.stride * 2};
      const std::string name = std::to_string(i);
      convolutions_.push_back(register_module(
          "conv" + name, torch::nn::Conv2d(torch::nn::Conv2dOptions(before.channels, level.channels, 3).stride(2).padding(1).bias(false))));
      norms_.push_back(register_module("bn" + name, torch::nn::BatchNorm2d(level.channels)));
      levels_.push_back(level);
    }
  }

  std::vector<nephron::Level> levels() const override { return levels_; }

  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    std::vector<at::Tensor> out{image};
    for (std::size_t i = 0; i < convolutions_.size(); ++i) out.push_back(at::relu(norms_[i](convolutions_[i](out.back()))));
    return out;
  }

 private:
  @CLASS@Params params_;
  std::vector<nephron::Level> levels_;
  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::BatchNorm2d> norms_;
};

NEPHRON_PLUGIN("@NAME@", "1.0.0")
NEPHRON_COMPONENT(nephron::Encoder, @CLASS@Encoder, "@NAME@", "What it does, in one line: replace this one")
