#include <array>
#include <string>

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <nephron/decoder.hpp>
#include <nephron/nn/blocks.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/stored.hpp>

namespace {

namespace nn = nephron::nn;

struct UnetParams {
  std::vector<std::int64_t> channels{256, 128, 64, 32, 16};
  std::string norm = "batchnorm";
  std::string attention = "none";
  std::string interpolation = "nearest";
  bool center = false;
  bool fast = true;

  static void describe(nephron::Schema<UnetParams>& s) {
    s.field("channels", &UnetParams::channels,
            "width of each block, coarsest first; their number is the encoder's depth")
        .range(1, 8192);
    s.field("norm", &UnetParams::norm, "normalisation after each convolution; without it convolutions have a bias")
        .choices({"batchnorm", "none"});
    s.field("attention", &UnetParams::attention,
            "scse: squeeze and excitation over channels and space (arXiv:1803.02579)")
        .choices({"none", "scse"});
    s.field("interpolation", &UnetParams::interpolation, "how a map is made as large as the next finer one")
        .choices({"nearest", "bilinear", "bicubic", "area"});
    s.field("center", &UnetParams::center, "two more convolutions on the coarsest map (SMP has them for VGG)");
    s.field(
        "fast", &UnetParams::fast,
        "convolve enlarged maps without making them where interpolation is nearest and no attention comes first; equal "
        "but for rounding");
  }
  void validate() const {
    if (channels.empty() || channels.size() > 5)
      throw nephron::Error("unet needs 1 to 5 entries in channels, one a block, and has " +
                           std::to_string(channels.size()));
  }
};

at::Tensor resize(const at::Tensor& x, at::IntArrayRef size, const std::string& how) {
  if (how == "nearest") return at::upsample_nearest2d(x, size);
  if (how == "bilinear") return at::upsample_bilinear2d(x, size, /*align_corners=*/false);
  if (how == "bicubic") return at::upsample_bicubic2d(x, size, /*align_corners=*/false);
  return at::adaptive_avg_pool2d(x, size);
}

struct Sequence final : torch::nn::Module {};

/// Enlarges the coarse map, joins the encoder's map of that size, two convolutions.
class Block final : public torch::nn::Module {
 public:
  Block(std::int64_t in, std::int64_t skip, std::int64_t out, const UnetParams& params)
      : torch::nn::Module("Block"), interpolation_(params.interpolation), fast_(params.fast) {
    const bool norm = params.norm == "batchnorm";
    conv1_ = register_module("conv1", std::make_shared<nn::ConvNormRelu>(in + skip, out, 3, norm));
    if (params.attention == "scse") attention1_ = attention("attention1", in + skip);
    // SMP keeps it in the last block too, where nothing is joined and it never runs.
    if (attention1_ != nullptr && skip == 0) nn::store_only(*attention1_);
    conv2_ = register_module("conv2", std::make_shared<nn::ConvNormRelu>(out, out, 3, norm));
    if (params.attention == "scse") attention2_ = attention("attention2", out);
  }

  /// `skip` may be undefined.
  at::Tensor forward(const at::Tensor& coarse, at::IntArrayRef size, const at::Tensor& skip) {
    const at::Tensor x = conv2_->forward(first(coarse, size, skip));
    return attention2_ != nullptr ? attention2_->forward(x) : x;
  }

 private:
  at::Tensor first(const at::Tensor& coarse, at::IntArrayRef size, const at::Tensor& skip) {
    const bool attending = attention1_ != nullptr && skip.defined();
    const bool doubled = size[0] == 2 * coarse.size(2) && size[1] == 2 * coarse.size(3);
    if (fast_ && doubled && !attending && interpolation_ == "nearest") return conv1_->forward_upsampled(coarse, skip);
    at::Tensor x = resize(coarse, size, interpolation_);
    if (skip.defined()) x = at::cat({x, skip}, 1);
    return conv1_->forward(attending ? attention1_->forward(x) : x);
  }

  std::shared_ptr<nn::Scse> attention(const char* name, std::int64_t channels) {
    auto holder = register_module(name, std::make_shared<Sequence>());
    return holder->register_module("attention", std::make_shared<nn::Scse>(channels));
  }

  std::string interpolation_;
  bool fast_;
  std::shared_ptr<nn::ConvNormRelu> conv1_, conv2_;
  std::shared_ptr<nn::Scse> attention1_, attention2_;
};

class Unet final : public nephron::Decoder {
 public:
  Unet(const UnetParams& params, nephron::Context&) : params_(params) {}

  int depth() const override { return static_cast<int>(params_.channels.size()); }
  nephron::HeadSpec head() const override {
    return {.in_channels = params_.channels.back(), .kernel = 3, .upsampling = 1};
  }

  void build(const std::vector<nephron::Level>& levels) override {
    if (levels.size() != params_.channels.size() + 1)
      throw nephron::Error("unet with " + std::to_string(params_.channels.size()) +
                           " channels needs that many levels after the "
                           "input, and the encoder has " +
                           std::to_string(levels.size() - 1));
    std::int64_t in = levels.back().channels;
    if (params_.center) {
      auto center = register_module("center", std::make_shared<nn::ModuleList>());
      for (auto& conv : center_)
        center->append(conv = std::make_shared<nn::ConvNormRelu>(in, in, 3, params_.norm == "batchnorm"));
    }
    auto holder = register_module("blocks", std::make_shared<nn::ModuleList>());
    for (std::size_t i = 0; i < params_.channels.size(); ++i) {
      const std::size_t skip = levels.size() - 2 - i;  // level 0 is the input, which Unet does not join
      auto block = std::make_shared<Block>(in, skip > 0 ? levels[skip].channels : 0, params_.channels[i], params_);
      holder->append(block);
      blocks_.push_back(std::move(block));
      in = params_.channels[i];
    }
    nn::init_convs(*this, nn::init_kaiming_uniform_fan_in);
  }

  at::Tensor forward(const std::vector<at::Tensor>& features) override {
    at::Tensor x = features.back();
    if (params_.center) x = center_[1]->forward(center_[0]->forward(x));
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const std::size_t finer = features.size() - 2 - i;
      x = blocks_[i]->forward(x, features[finer].sizes().slice(2), finer > 0 ? features[finer] : at::Tensor());
    }
    return x;
  }

 private:
  UnetParams params_;
  std::array<std::shared_ptr<nn::ConvNormRelu>, 2> center_;
  std::vector<std::shared_ptr<Block>> blocks_;
};

}  // namespace

NEPHRON_PLUGIN("unet", "1.0.0")
NEPHRON_COMPONENT(nephron::Decoder, Unet, "unet", "U-Net (Ronneberger et al. 2015, arXiv:1505.04597), as SMP builds it")
