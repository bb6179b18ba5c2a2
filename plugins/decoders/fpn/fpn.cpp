#include <array>
#include <string>

#include <ATen/ops/cat.h>
#include <ATen/ops/feature_dropout.h>

#include <nephron/decoder.hpp>
#include <nephron/nn/blocks.hpp>
#include <nephron/nn/group_norm.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/levels.hpp>
#include <nephron/nn/resize.hpp>

namespace {

namespace nn = nephron::nn;

constexpr std::int64_t groups = 32;
constexpr std::size_t used_levels = 4;  // the coarsest of them

struct FpnParams {
  int depth = 5;
  std::int64_t pyramid_channels = 256;
  std::int64_t segmentation_channels = 128;
  std::string merge = "add";
  double dropout = 0.2;
  std::string interpolation = "nearest";

  static void describe(nephron::Schema<FpnParams>& s) {
    s.field("depth", &FpnParams::depth, "levels of the encoder after the input; the four coarsest are used")
        .range(3, 5);
    s.field("pyramid_channels", &FpnParams::pyramid_channels, "width to which each level is brought").range(1, 8192);
    s.field("segmentation_channels", &FpnParams::segmentation_channels,
            "width of each level's branch, a multiple of 32")
        .range(groups, 8192);
    s.field("merge", &FpnParams::merge, "add: the four branches are summed; cat: joined").choices({"add", "cat"});
    s.field("dropout", &FpnParams::dropout, "share of the channels that are dropped in training").range(0, 0.99);
    s.field("interpolation", &FpnParams::interpolation, "how a map is enlarged before the finer level is added")
        .choices(nn::interpolation_names());
  }
  void validate() const {
    if (segmentation_channels % groups != 0)
      throw nephron::Error(
          "segmentation_channels must be a multiple of 32, which group normalisation divides it by, "
          "and is " +
          std::to_string(segmentation_channels));
  }
};

/// Holds children under names of its own.
struct Holder final : torch::nn::Module {};

/// 3x3 convolution, group normalisation, ReLU.
class Smooth final : public torch::nn::Module {
 public:
  Smooth(std::int64_t in, std::int64_t out) : torch::nn::Module("Smooth") {
    auto block = register_module("block", std::make_shared<nn::ModuleList>());
    block->append(conv_ = std::make_shared<nn::Conv2d>(nn::ConvShape{.in = in, .out = out, .kernel = 3}));
    block->append(norm_ = std::make_shared<nn::GroupNorm>(groups, out));
  }
  at::Tensor forward(const at::Tensor& x) const {
    return nn::activate(norm_->forward(conv_->forward(x)), nn::Activation::relu);
  }

 private:
  std::shared_ptr<nn::Conv2d> conv_;
  std::shared_ptr<nn::GroupNorm> norm_;
};

/// Brings a level of the pyramid to the size of the finest by as many steps as it takes; one step without enlarging
/// for the finest itself.
class Branch final : public torch::nn::Module {
 public:
  Branch(std::int64_t in, std::int64_t out, std::size_t doublings)
      : torch::nn::Module("Branch"), doubles_(doublings > 0) {
    auto block = register_module("block", std::make_shared<nn::ModuleList>());
    for (std::size_t i = 0; i == 0 || i < doublings; ++i) {
      steps_.push_back(std::make_shared<Smooth>(i == 0 ? in : out, out));
      block->append(steps_.back());
    }
  }
  at::Tensor forward(const at::Tensor& level) const {
    at::Tensor x = level;
    for (const auto& step : steps_) {
      x = step->forward(x);
      if (doubles_) x = nn::upsample_bilinear(x, 2);
    }
    return x;
  }

 private:
  bool doubles_;
  std::vector<std::shared_ptr<Smooth>> steps_;
};

class Fpn final : public nephron::Decoder {
 public:
  Fpn(const FpnParams& params, nephron::Context&)
      : params_(params), interpolation_(nn::interpolation_of(params.interpolation)) {}

  int depth() const override { return params_.depth; }
  nephron::HeadSpec head() const override {
    const std::int64_t merged = params_.merge == "cat" ? static_cast<std::int64_t>(used_levels) : 1;
    return {.in_channels = merged * params_.segmentation_channels, .kernel = 1, .upsampling = upsampling_};
  }

  void build(const std::vector<nephron::Level>& given) override {
    const std::vector<nephron::Level> levels = nn::every_halving("fpn", given, depth());
    nn::require_halving("fpn", levels, used_levels);
    for (std::size_t i = levels.size() - used_levels; i < levels.size(); ++i)
      if (levels[i].channels == 0)
        throw nephron::Error("fpn of depth " + std::to_string(depth()) + " uses the encoder's map of stride " +
                                 std::to_string(levels[i].stride) + ", and it has none",
                             "a depth of " + std::to_string(depth() + 1) + " uses the four maps from stride " +
                                 std::to_string(2 * levels[i].stride));
    coarsest_ = levels.back().stride;
    upsampling_ = static_cast<int>(levels[levels.size() - used_levels].stride);
    const auto lateral = [&](std::size_t i) {
      return std::make_shared<nn::Conv2d>(
          nn::ConvShape{.in = levels[levels.size() - 1 - i].channels, .out = params_.pyramid_channels, .bias = true});
    };
    laterals_[0] = register_module("p5", lateral(0));
    for (std::size_t i = 1; i < used_levels; ++i) {
      auto holder = register_module("p" + std::to_string(5 - i), std::make_shared<Holder>());
      laterals_[i] = holder->register_module("skip_conv", lateral(i));
    }
    auto blocks = register_module("seg_blocks", std::make_shared<nn::ModuleList>());
    for (std::size_t i = 0; i < used_levels; ++i) {
      branches_[i] =
          std::make_shared<Branch>(params_.pyramid_channels, params_.segmentation_channels, used_levels - 1 - i);
      blocks->append(branches_[i]);
    }
    nn::init_convs(*this, nn::init_kaiming_uniform_fan_in);
  }

  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    nn::require_multiples("fpn", features[0], coarsest_);
    std::array<at::Tensor, used_levels> maps;
    at::Tensor level;  // of the pyramid
    for (std::size_t i = 0; i < used_levels; ++i) {
      at::Tensor lateral = laterals_[i]->forward(features[features.size() - 1 - i]);
      level = i == 0 ? lateral : nn::resize(level, lateral.sizes().slice(2), interpolation_) + lateral;
      maps[i] = branches_[i]->forward(level);
    }
    const at::Tensor x = params_.merge == "cat" ? at::cat(maps, 1) : maps[0] + maps[1] + maps[2] + maps[3];
    return params_.dropout > 0 ? at::feature_dropout(x, params_.dropout, is_training()) : x;
  }

 private:
  FpnParams params_;
  nn::Interpolation interpolation_;
  int upsampling_ = 4;
  std::int64_t coarsest_ = 32;
  std::array<std::shared_ptr<nn::Conv2d>, used_levels> laterals_;  // coarsest first, as all here
  std::array<std::shared_ptr<Branch>, used_levels> branches_;
};

}  // namespace

NEPHRON_PLUGIN("fpn", "1.0.0")
NEPHRON_COMPONENT(nephron::Decoder, Fpn, "fpn",
                  "Feature pyramid for segmentation (Kirillov et al. 2019, arXiv:1901.02446), as SMP builds it")
