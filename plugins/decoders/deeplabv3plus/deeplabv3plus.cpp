#include <array>
#include <string>

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>

#include <nephron/decoder.hpp>
#include <nephron/nn/blocks.hpp>
#include <nephron/nn/levels.hpp>
#include <nephron/nn/resize.hpp>

namespace {

namespace nn = nephron::nn;

constexpr std::int64_t fine_width = 48;  // of the fine level, as the paper proposes; SMP gives no choice of it
constexpr std::size_t fine_level = 2;    // stride 4

struct DeepLabParams {
  int depth = 5;
  int output_stride = 16;
  std::int64_t channels = 256;
  std::array<std::int64_t, 3> rates{12, 24, 36};
  bool separable = true;
  double dropout = 0.5;

  static void describe(nephron::Schema<DeepLabParams>& s) {
    s.field("depth", &DeepLabParams::depth, "levels of the encoder after the input").range(3, 5);
    s.field("output_stride", &DeepLabParams::output_stride,
            "8 or 16: the encoder's coarsest stride, which it lowers by dilation")
        .range(8, 16);
    s.field("channels", &DeepLabParams::channels, "width of each branch and of the map").range(1, 8192);
    s.field("rates", &DeepLabParams::rates, "dilations of the three 3x3 branches").range(1, 512);
    s.field("separable", &DeepLabParams::separable, "3x3 branches as a depthwise and a 1x1 convolution");
    s.field("dropout", &DeepLabParams::dropout, "share of the joined branches' values that is dropped in training")
        .range(0, 0.99);
  }
  void validate() const {
    if (output_stride != 8 && output_stride != 16)
      throw nephron::Error("output_stride must be 8 or 16, and is " + std::to_string(output_stride));
  }
};

/// Depthwise 3x3, then 1x1; nothing between them.
class Separable final : public torch::nn::Module {
 public:
  Separable(std::int64_t in, std::int64_t out, std::int64_t dilation) : torch::nn::Module("Separable") {
    depthwise_ = register_module(
        "0", std::make_shared<nn::Conv2d>(nn::ConvShape{.in = in, .out = in, .kernel = 3, .groups = in}));
    depthwise_->dilate(dilation);
    pointwise_ = register_module("1", std::make_shared<nn::Conv2d>(nn::ConvShape{.in = in, .out = out}));
  }
  at::Tensor forward(const at::Tensor& x) const { return pointwise_->forward(depthwise_->forward(x)); }

 private:
  std::shared_ptr<nn::Conv2d> depthwise_, pointwise_;
};

/// 3x3 convolution, separable or not, normalisation, ReLU.
class Step final : public torch::nn::Module {
 public:
  Step(std::int64_t in, std::int64_t out, std::int64_t dilation, bool separable) : torch::nn::Module("Step") {
    if (separable) {
      separable_ = register_module("0", std::make_shared<Separable>(in, out, dilation));
    } else {
      conv_ = register_module("0", std::make_shared<nn::Conv2d>(nn::ConvShape{.in = in, .out = out, .kernel = 3}));
      conv_->dilate(dilation);
    }
    norm_ = register_module("1", std::make_shared<nn::BatchNorm2d>(out));
  }
  at::Tensor forward(const at::Tensor& x) {
    return norm_->forward(separable_ != nullptr ? separable_->forward(x) : conv_->forward(x), nn::Activation::relu);
  }

 private:
  std::shared_ptr<nn::Conv2d> conv_;
  std::shared_ptr<Separable> separable_;
  std::shared_ptr<nn::BatchNorm2d> norm_;
};

/// The mean of each map, 1x1 convolution, normalisation, ReLU, everywhere the same.
class Pooled final : public torch::nn::Module {
 public:
  Pooled(std::int64_t in, std::int64_t out) : torch::nn::Module("Pooled") {
    conv_ = register_module("1", std::make_shared<nn::Conv2d>(nn::ConvShape{.in = in, .out = out}));
    norm_ = register_module("2", std::make_shared<nn::BatchNorm2d>(out));
  }
  at::Tensor forward(const at::Tensor& x) {
    if (is_training() && x.size(0) == 1)
      throw nephron::Error("deeplabv3+ normalises the mean of each map over the batch, which one image cannot train",
                           "train with a batch of 2 or more");
    const at::Tensor mean = at::adaptive_avg_pool2d(x, {1, 1});
    const at::Tensor y = norm_->forward(conv_->forward(mean), nn::Activation::relu);
    return y.expand({-1, -1, x.size(2), x.size(3)});
  }

 private:
  std::shared_ptr<nn::Conv2d> conv_;
  std::shared_ptr<nn::BatchNorm2d> norm_;
};

/// Atrous spatial pyramid pooling: five views of the same map, joined.
class Pyramid final : public torch::nn::Module {
 public:
  Pyramid(std::int64_t in, const DeepLabParams& params) : torch::nn::Module("Pyramid"), dropout_(params.dropout) {
    auto convs = register_module("convs", std::make_shared<nn::ModuleList>());
    convs->append(point_ = std::make_shared<nn::ConvNormRelu>(in, params.channels, 1));
    for (std::size_t i = 0; i < params.rates.size(); ++i)
      convs->append(atrous_[i] = std::make_shared<Step>(in, params.channels, params.rates[i], params.separable));
    convs->append(pooled_ = std::make_shared<Pooled>(in, params.channels));
    project_ = register_module("project", std::make_shared<nn::ConvNormRelu>(5 * params.channels, params.channels, 1));
  }
  at::Tensor forward(const at::Tensor& x) {
    std::vector<at::Tensor> views{point_->forward(x)};
    for (const auto& atrous : atrous_) views.push_back(atrous->forward(x));
    views.push_back(pooled_->forward(x));
    const at::Tensor y = project_->forward(at::cat(views, 1));
    return dropout_ > 0 ? at::dropout(y, dropout_, is_training()) : y;
  }

 private:
  double dropout_;
  std::shared_ptr<nn::ConvNormRelu> point_, project_;
  std::array<std::shared_ptr<Step>, 3> atrous_;
  std::shared_ptr<Pooled> pooled_;
};

class DeepLabV3Plus final : public nephron::Decoder {
 public:
  DeepLabV3Plus(const DeepLabParams& params, nephron::Context&) : params_(params) {}

  int depth() const override { return params_.depth; }
  int output_stride() const override { return params_.output_stride; }
  nephron::HeadSpec head() const override {
    return {.in_channels = params_.channels, .kernel = 1, .upsampling = upsampling_, .glorot = false};
  }

  void build(const std::vector<nephron::Level>& given) override {
    const std::vector<nephron::Level> levels = halvings_ = nn::every_halving("deeplabv3+", given, depth());
    const nephron::Level& fine = levels[fine_level];
    const nephron::Level& coarse = levels.back();
    if (coarse.stride % fine.stride != 0)
      throw nephron::Error("deeplabv3+ enlarges stride " + std::to_string(coarse.stride) + " to stride " +
                           std::to_string(fine.stride) + ", which is no whole factor");
    coarsest_ = coarse.stride;
    enlarging_ = coarse.stride / fine.stride;
    upsampling_ = static_cast<int>(fine.stride);
    auto aspp = register_module("aspp", std::make_shared<nn::ModuleList>());
    aspp->append(pyramid_ = std::make_shared<Pyramid>(coarse.channels, params_));
    aspp->append(smooth_ = std::make_shared<Separable>(params_.channels, params_.channels, 1));
    aspp->append(norm_ = std::make_shared<nn::BatchNorm2d>(params_.channels));
    fine_ = register_module("block1", std::make_shared<nn::ConvNormRelu>(fine.channels, fine_width, 1));
    fuse_ = register_module(
        "block2", std::make_shared<Step>(fine_width + params_.channels, params_.channels, 1, /*separable=*/true));
  }

  at::Tensor forward(const std::vector<at::Tensor>& given) override {
    nn::require_multiples("deeplabv3+", given[0], coarsest_);
    const std::vector<at::Tensor> features = nn::every_halving(halvings_, given);
    const at::Tensor x = norm_->forward(smooth_->forward(pyramid_->forward(features.back())));
    const at::Tensor coarse = nn::upsample_bilinear(nn::activate(x, nn::Activation::relu), enlarging_);
    return fuse_->forward(at::cat({coarse, fine_->forward(features[fine_level])}, 1));
  }

 private:
  DeepLabParams params_;
  std::vector<nephron::Level> halvings_;
  std::int64_t coarsest_ = 16;
  std::int64_t enlarging_ = 4;
  int upsampling_ = 4;
  std::shared_ptr<Pyramid> pyramid_;
  std::shared_ptr<Separable> smooth_;
  std::shared_ptr<nn::BatchNorm2d> norm_;
  std::shared_ptr<nn::ConvNormRelu> fine_;
  std::shared_ptr<Step> fuse_;
};

}  // namespace

NEPHRON_PLUGIN("deeplabv3plus", "1.0.0")
NEPHRON_COMPONENT(nephron::Decoder, DeepLabV3Plus, "deeplabv3+",
                  "DeepLabV3+ (Chen et al. 2018, arXiv:1802.02611), as SMP builds it")
