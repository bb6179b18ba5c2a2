// U-Net's decoder through its shared object, as the host loads it. Numbers against SMP: tests/parity/models.
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/decoder.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;

const std::vector<Level> levels{{3, 1}, {8, 2}, {12, 4}, {16, 8}};

std::vector<at::Tensor> features(std::int64_t height, std::int64_t width) {
  std::vector<at::Tensor> out;
  for (const Level& level : levels) {
    const std::int64_t s = level.stride;
    out.push_back(at::rand({2, level.channels, (height + s - 1) / s, (width + s - 1) / s}));
  }
  return out;
}

class UnetTest : public ::testing::Test {
 protected:
  UnetTest() { at::manual_seed(1); }  // channels behind a ReLU may be dead by chance

  std::shared_ptr<Decoder> make(Value::Table params) {
    params.push_back({"channels", Value(Value::Array{Value(32), Value(16), Value(16)}), {}});
    return registry_.create<Decoder>(ComponentSpec{"unet", Value(std::move(params)), {}}, context_);
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"unet", "model.decoder"};
};

TEST_F(UnetTest, GivesTheSizeOfTheInputAndUsesEveryLevelButTheInput) {
  const std::vector<Value::Table> variants{{},
                                           {{"fast", Value(false), {}}},
                                           {{"attention", Value("scse"), {}}},
                                           {{"norm", Value("none"), {}}, {"center", Value(true), {}}},
                                           {{"interpolation", Value("bilinear"), {}}},
                                           {{"interpolation", Value("area"), {}}}};
  for (const Value::Table& params : variants)
    for (const auto& [height, width] : {std::pair{32, 48}, std::pair{36, 30}}) {  // the second: no multiples of 8
      auto decoder = make(params);
      EXPECT_EQ(decoder->depth(), 3);
      decoder->build(levels);
      std::vector<at::Tensor> maps = features(height, width);
      for (at::Tensor& map : maps) map.requires_grad_();
      const at::Tensor out = decoder->forward(maps);
      EXPECT_EQ(out.sizes(), (at::IntArrayRef{2, decoder->head().in_channels, height, width}));
      out.square().sum().backward();
      for (std::size_t i = 1; i < maps.size(); ++i) EXPECT_GT(maps[i].grad().abs().sum().item<float>(), 0) << i;
      EXPECT_FALSE(maps[0].grad().defined());
    }
}

TEST_F(UnetTest, DoesWithoutTheStrideThatAnEncoderSkips) {
  const std::vector<Level> skipping{{3, 1}, {8, 4}, {16, 8}};
  for (const char* attention : {"none", "scse"}) {
    auto decoder = make({{"attention", Value(attention), {}}});
    decoder->build(skipping);
    std::vector<at::Tensor> maps{at::rand({2, 3, 32, 48}), at::rand({2, 8, 8, 12}), at::rand({2, 16, 4, 6})};
    for (at::Tensor& map : maps) map.requires_grad_();
    const at::Tensor out = decoder->forward(maps);
    EXPECT_EQ(out.sizes(), (at::IntArrayRef{2, 16, 32, 48}));
    out.square().sum().backward();
    for (std::size_t i = 1; i < maps.size(); ++i) EXPECT_GT(maps[i].grad().abs().sum().item<float>(), 0) << i;
    // SMP's attention runs where a map without channels is joined, and is only stored in the last block.
    for (const auto& p : decoder->named_parameters()) EXPECT_EQ(p.value().grad().defined(), p.value().requires_grad());
    if (std::string(attention) == "scse") {
      EXPECT_TRUE(decoder->named_parameters()["blocks.1.attention1.attention.cSE.1.weight"].requires_grad());
      EXPECT_FALSE(decoder->named_parameters()["blocks.2.attention1.attention.cSE.1.weight"].requires_grad());
    }
  }
}

TEST_F(UnetTest, ExplainsWhatItNeeds) {
  const auto message = [](auto call) {
    try {
      call();
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message([&] { make({})->build({{3, 1}, {8, 2}}); }), HasSubstr("needs that many levels"));
  const Value eight(Value::Array{Value(32), Value(16), Value(8)});
  const ComponentSpec narrow{
      "unet", Value(Value::Table{{"channels", eight, {}}, {"attention", Value("scse"), {}}}), {}};
  EXPECT_THAT(message([&] { registry_.create<Decoder>(narrow, context_)->build(levels); }),
              HasSubstr("there are only 8"));
  const ComponentSpec none{"unet", Value(Value::Table{{"channels", Value(Value::Array{}), {}}}), {}};
  EXPECT_THAT(message([&] { registry_.create<Decoder>(none, context_); }), HasSubstr("1 to 5 entries"));
}

}  // namespace
}  // namespace nephron::host
