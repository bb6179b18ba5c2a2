#include <array>
#include <string>

#include <nephron/decoder.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/levels.hpp>
#include <nephron/nn/unet_params.hpp>

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
    nn::describe_unet_blocks(s);
    s.field("center", &UnetParams::center, "two more convolutions on the coarsest map (SMP has them for VGG)");
    nn::describe_fast_unet_blocks(s);
  }
  void validate() const {
    if (channels.empty() || channels.size() > 5)
      throw nephron::Error("unet needs 1 to 5 entries in channels, one a block, and has " +
                           std::to_string(channels.size()));
  }
};

class Unet final : public nephron::Decoder {
 public:
  Unet(const UnetParams& params, nephron::Context&) : params_(params) {}

  int depth() const override { return static_cast<int>(params_.channels.size()); }
  nephron::HeadSpec head() const override {
    return {.in_channels = params_.channels.back(), .kernel = 3, .upsampling = 1};
  }

  void build(const std::vector<nephron::Level>& levels) override {
    halvings_ = nn::every_halving("unet", levels, depth());
    std::int64_t in = levels.back().channels;
    if (params_.center) {
      auto center = register_module("center", std::make_shared<nn::ModuleList>());
      for (auto& conv : center_)
        center->append(conv = std::make_shared<nn::ConvNormRelu>(in, in, 3, params_.norm == "batchnorm"));
    }
    auto holder = register_module("blocks", std::make_shared<nn::ModuleList>());
    for (std::size_t i = 0; i < params_.channels.size(); ++i) {
      const std::size_t finer = halvings_.size() - 2 - i;  // level 0 is the input, which Unet does not join
      const std::int64_t skip = finer > 0 ? halvings_[finer].channels : 0;
      auto block = nn::make_unet_block(params_, in, skip, params_.channels[i], finer > 0 && skip == 0);
      holder->append(block);
      blocks_.push_back(std::move(block));
      in = params_.channels[i];
    }
    nn::init_convs(*this, nn::init_kaiming_uniform_fan_in);
  }

  at::Tensor forward(const std::vector<at::Tensor>& given) override {
    const std::vector<at::Tensor> features = nn::every_halving(halvings_, given);
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
  std::vector<nephron::Level> halvings_;
  std::array<std::shared_ptr<nn::ConvNormRelu>, 2> center_;
  std::vector<std::shared_ptr<nn::UnetBlock>> blocks_;
};

}  // namespace

NEPHRON_PLUGIN("unet", "1.0.0")
NEPHRON_COMPONENT(nephron::Decoder, Unet, "unet", "U-Net (Ronneberger et al. 2015, arXiv:1505.04597), as SMP builds it")
