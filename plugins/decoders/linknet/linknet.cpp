#include <string>

#include <nephron/decoder.hpp>
#include <nephron/nn/blocks.hpp>
#include <nephron/nn/conv_transpose.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/levels.hpp>

namespace {

namespace nn = nephron::nn;

constexpr std::int64_t last_width = 32;  // SMP gives no choice of it

struct LinknetParams {
  int depth = 5;
  std::string norm = "batchnorm";

  static void describe(nephron::Schema<LinknetParams>& s) {
    s.field("depth", &LinknetParams::depth, "levels of the encoder after the input, and blocks").range(1, 5);
    s.field("norm", &LinknetParams::norm,
            "normalisation after each convolution; without it all convolutions have a bias")
        .choices({"batchnorm", "none"});
  }
};

/// A transposed convolution that doubles the map, normalisation, ReLU.
class Doubling final : public torch::nn::Module {
 public:
  Doubling(std::int64_t channels, bool norm) : torch::nn::Module("Doubling") {
    conv_ = register_module("0", std::make_shared<nn::DoublingConv>(channels, channels));
    if (norm) norm_ = register_module("1", std::make_shared<nn::BatchNorm2d>(channels));
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = conv_->forward(x);
    return norm_ != nullptr ? norm_->forward(y, nn::Activation::relu) : nn::activate(y, nn::Activation::relu);
  }

 private:
  std::shared_ptr<nn::DoublingConv> conv_;
  std::shared_ptr<nn::BatchNorm2d> norm_;
};

/// To a quarter of the width, twice the size, to the width of the finer level.
class Block final : public torch::nn::Module {
 public:
  Block(std::int64_t in, std::int64_t out, bool norm) : torch::nn::Module("Block") {
    if (in < 4)
      throw nephron::Error("linknet works at a quarter of a level's channels, and a level has only " +
                           std::to_string(in));
    auto block = register_module("block", std::make_shared<nn::ModuleList>());
    block->append(narrow_ = std::make_shared<nn::ConvNormRelu>(in, in / 4, 1, norm));
    block->append(double_ = std::make_shared<Doubling>(in / 4, norm));
    block->append(widen_ = std::make_shared<nn::ConvNormRelu>(in / 4, out, 1, norm));
  }
  at::Tensor forward(const at::Tensor& x) { return widen_->forward(double_->forward(narrow_->forward(x))); }

 private:
  std::shared_ptr<nn::ConvNormRelu> narrow_, widen_;
  std::shared_ptr<Doubling> double_;
};

class Linknet final : public nephron::Decoder {
 public:
  Linknet(const LinknetParams& params, nephron::Context&) : params_(params) {}

  int depth() const override { return params_.depth; }
  nephron::HeadSpec head() const override { return {.in_channels = last_width, .kernel = 1, .upsampling = 1}; }

  void build(const std::vector<nephron::Level>& given) override {
    std::vector<nephron::Level> levels = halvings_ = nn::every_halving("linknet", given, depth());
    nn::require_halving("linknet", levels, levels.size());
    // Where the encoder has no map nothing is added, and the width stays.
    for (std::size_t i = levels.size() - 1; i-- > 1;)
      if (levels[i].channels == 0) levels[i].channels = levels[i + 1].channels;
    coarsest_ = levels.back().stride;
    auto holder = register_module("blocks", std::make_shared<nn::ModuleList>());
    for (std::size_t i = levels.size() - 1; i > 0; --i) {
      // Level 0 is the input, which Linknet does not add.
      const std::int64_t out = i > 1 ? levels[i - 1].channels : last_width;
      blocks_.push_back(std::make_shared<Block>(levels[i].channels, out, params_.norm == "batchnorm"));
      holder->append(blocks_.back());
    }
    nn::init_convs(*this, nn::init_kaiming_uniform_fan_in);
  }

  at::Tensor forward(const std::vector<at::Tensor>& given) override {
    nn::require_multiples("linknet", given[0], coarsest_);
    const std::vector<at::Tensor> features = nn::every_halving(halvings_, given);
    at::Tensor x = features.back();
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const std::size_t finer = features.size() - 2 - i;
      x = blocks_[i]->forward(x);
      if (finer > 0 && halvings_[finer].channels > 0) x = x + features[finer];
    }
    return x;
  }

 private:
  LinknetParams params_;
  std::int64_t coarsest_ = 32;
  std::vector<nephron::Level> halvings_;
  std::vector<std::shared_ptr<Block>> blocks_;
};

}  // namespace

NEPHRON_PLUGIN("linknet", "1.0.0")
NEPHRON_COMPONENT(nephron::Decoder, Linknet, "linknet",
                  "LinkNet (Chaurasia and Culurciello 2017, arXiv:1707.03718), as SMP builds it")
