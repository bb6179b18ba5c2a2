#include <nephron/decoder.hpp>

#include <ATen/ops/relu.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <torch/nn/modules/conv.h>

struct @CLASS@Params {
  int channels = 32;

  static void describe(nephron::Schema<@CLASS@Params>& s) {
    s.field("channels", &@CLASS@Params::channels, "channels of every level").range(4, 512);
  }
};

// Top-down: every level is brought to the same number of channels and added to the coarser ones, enlarged.
class @CLASS@Decoder final : public nephron::Decoder {
 public:
  @CLASS@Decoder(const @CLASS@Params& params, nephron::Context&) : params_(params) {}

  void build(const std::vector<nephron::Level>& levels) override {
    if (levels.size() < 3) throw nephron::Error("needs an encoder of at least two levels besides the input, not " + std::to_string(levels.size()) + " in all");
    for (std::size_t i = 1; i < levels.size(); ++i)
      laterals_.push_back(register_module("lateral" + std::to_string(i), torch::nn::Conv2d(torch::nn::Conv2dOptions(levels[i].channels, params_.channels, 1))));
    smooth_ = register_module("smooth", torch::nn::Conv2d(torch::nn::Conv2dOptions(params_.channels, params_.channels, 3).padding(1)));
    upsampling_ = static_cast<int>(levels[1].stride);
  }

  nephron::HeadSpec head() const override { return {.in_channels = params_.channels, .kernel = 3, .upsampling = upsampling_}; }

  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    at::Tensor map = laterals_.back()(features.back());
    for (std::size_t i = laterals_.size() - 1; i-- > 0;) {
      const at::Tensor finer = laterals_[i](features[i + 1]);
      map = finer + at::upsample_nearest2d(map, {finer.size(2), finer.size(3)});
    }
    return at::relu(smooth_(map));
  }

 private:
  @CLASS@Params params_;
  std::vector<torch::nn::Conv2d> laterals_;
  torch::nn::Conv2d smooth_{nullptr};
  int upsampling_ = 2;
};

NEPHRON_PLUGIN("@NAME@", "1.0.0")
NEPHRON_COMPONENT(nephron::Decoder, @CLASS@Decoder, "@NAME@", "What it does, in one line: replace this one")
