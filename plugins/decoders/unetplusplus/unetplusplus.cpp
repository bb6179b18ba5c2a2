#include <string>
#include <utility>

#include <ATen/ops/cat.h>

#include <nephron/decoder.hpp>
#include <nephron/nn/init.hpp>
#include <nephron/nn/levels.hpp>
#include <nephron/nn/stored.hpp>
#include <nephron/nn/unet_params.hpp>

namespace {

namespace nn = nephron::nn;

struct UnetPlusPlusParams {
  std::vector<std::int64_t> channels{256, 128, 64, 32, 16};
  std::string norm = "batchnorm";
  std::string attention = "none";
  std::string interpolation = "nearest";
  bool center = false;
  bool fast = true;
  bool supervision = false;

  static void describe(nephron::Schema<UnetPlusPlusParams>& s) {
    s.field("channels", &UnetPlusPlusParams::channels,
            "width of each block that ends a column, coarsest first; their number is the encoder's depth")
        .range(1, 8192);
    nn::describe_unet_blocks(s);
    s.field("center", &UnetPlusPlusParams::center,
            "store the two convolutions that SMP has for VGG and never runs, for weights that hold them");
    nn::describe_fast_unet_blocks(s);
    s.field(
        "supervision", &UnetPlusPlusParams::supervision,
        "train the blocks of the last column by the loss too, each through a head of its own (loss.auxiliary weighs "
        "them), as Zhou et al. do");
  }
  void validate() const {
    if (channels.size() < 2 || channels.size() > 5)
      throw nephron::Error("unet++ needs 2 to 5 entries in channels, one a level, and has " +
                           std::to_string(channels.size()));
  }
};

/// Blocks X(d, l), d <= l: column l makes maps as large as the level after the (l + 1)th coarsest, X(l, l) from the
/// encoder's map, each other from X(d, l - 1) and all that column l made before it. A last block doubles X(0, last).
class UnetPlusPlus final : public nephron::Decoder, public nephron::AuxiliaryMaps {
 public:
  UnetPlusPlus(const UnetPlusPlusParams& params, nephron::Context&) : params_(params) {}

  int depth() const override { return static_cast<int>(params_.channels.size()); }
  nephron::HeadSpec head() const override {
    return {.in_channels = params_.channels.back(), .kernel = 3, .upsampling = 1};
  }

  /// Of X(1, last) to X(last, last): maps of the size of X(0, last), with ever fewer joins behind them.
  std::vector<nephron::HeadSpec> auxiliary_heads() const override {
    if (!params_.supervision) return {};
    return std::vector<nephron::HeadSpec>(columns_.size() - 1,
                                          {.in_channels = supervised_channels_, .upsampling = supervised_stride_});
  }
  std::vector<at::Tensor> take_auxiliary_maps() override { return std::exchange(supervised_, {}); }

  void build(const std::vector<nephron::Level>& given) override {
    const std::vector<nephron::Level> levels = halvings_ = nn::every_halving("unet++", given, depth());
    if (params_.supervision && levels[1].channels == 0)
      throw nephron::Error("unet++ supervises blocks of stride 2, which it has not where the encoder has no such map",
                           "leave supervision out, or take an encoder that has one");
    supervised_channels_ = levels[1].channels;
    supervised_stride_ = static_cast<int>(levels[1].stride);
    const std::size_t columns = params_.channels.size() - 1;
    if (params_.center) store_center(levels.back().channels);
    auto holder = register_module("blocks", std::make_shared<nn::ModuleList>());
    const auto add = [&](std::size_t d, std::size_t l, std::int64_t in, std::int64_t skip, std::int64_t out) {
      return holder->register_module("x_" + std::to_string(d) + "_" + std::to_string(l),
                                     nn::make_unet_block(params_, in, skip, out, skip == 0 && l < columns));
    };
    const auto coarse = [&](std::size_t i) { return levels[levels.size() - 1 - i].channels; };
    for (std::size_t l = 0; l < columns; ++l) {
      const std::int64_t skip = coarse(l + 1);
      if (skip == 0 && l + 1 < columns)
        throw nephron::Error("unet++ joins maps of every stride but 2, and the encoder has none of stride " +
                                 std::to_string(levels[levels.size() - 2 - l].stride),
                             "take the decoder unet");
      auto& column = columns_.emplace_back();
      // Where the encoder has no map nothing stands beside X(0, l).
      for (std::size_t d = 0; d <= (skip > 0 ? l : 0); ++d) {
        // X(0, l) goes on to the output and has the widths of the parameters, the others those of the encoder.
        const std::int64_t in = d == 0 && l > 0 ? params_.channels[l - 1] : coarse(l);
        column.push_back(
            add(d, l, in, skip * static_cast<std::int64_t>(l - d + 1), d == 0 ? params_.channels[l] : skip));
      }
    }
    last_ = add(0, columns, params_.channels[columns - 1], 0, params_.channels[columns]);
    nn::init_convs(*this, nn::init_kaiming_uniform_fan_in);
  }

  at::Tensor forward(const std::vector<at::Tensor>& given) override {
    const std::vector<at::Tensor> features = nn::every_halving(halvings_, given);
    std::vector<at::Tensor> before;  // X(0, l - 1), X(1, l - 1), ...
    for (std::size_t l = 0; l < columns_.size(); ++l) {
      const at::Tensor& level = features[features.size() - 2 - l];
      std::vector<at::Tensor> joined{level};  // X(d + 1, l), ..., X(l, l), the encoder's map
      std::vector<at::Tensor> made(l + 1);
      for (std::size_t d = columns_[l].size(); d-- > 0;) {
        const at::Tensor& from = d == l ? features[features.size() - 1 - l] : before[d];
        made[d] =
            columns_[l][d]->forward(from, level.sizes().slice(2), joined.size() == 1 ? level : at::cat(joined, 1));
        joined.insert(joined.begin(), made[d]);
      }
      before = std::move(made);
    }
    supervised_.clear();
    if (params_.supervision && is_training()) supervised_.assign(before.begin() + 1, before.end());
    return last_->forward(before[0], features[0].sizes().slice(2), {});
  }

 private:
  void store_center(std::int64_t channels) {
    auto center = register_module("center", std::make_shared<nn::ModuleList>());
    for (int i = 0; i < 2; ++i)
      center->append(std::make_shared<nn::ConvNormRelu>(channels, channels, 3, params_.norm == "batchnorm"));
    nn::store_only(*center);
  }

  UnetPlusPlusParams params_;
  std::vector<nephron::Level> halvings_;
  std::vector<std::vector<std::shared_ptr<nn::UnetBlock>>> columns_;
  std::shared_ptr<nn::UnetBlock> last_;
  std::int64_t supervised_channels_ = 0;
  int supervised_stride_ = 1;
  std::vector<at::Tensor> supervised_;
};

}  // namespace

NEPHRON_PLUGIN("unetplusplus", "1.0.0")
NEPHRON_COMPONENT(nephron::Decoder, UnetPlusPlus, "unet++",
                  "UNet++ (Zhou et al. 2018, arXiv:1807.10165), as SMP builds it")
