// UNet++'s decoder. Numbers against SMP: tests/parity/models.
#include <ATen/core/grad_mode.h>

#include <tests/parity/models/decoder_fixture.hpp>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;

class UnetPlusPlusTest : public testing::DecoderTest {
 protected:
  static Value channels(std::initializer_list<int> widths) {
    Value::Array out;
    for (const int width : widths) out.emplace_back(width);
    return Value(std::move(out));
  }
  std::shared_ptr<Decoder> make(Value::Table params) {
    params.push_back({"channels", channels({32, 16, 16}), {}});
    return DecoderTest::make("unet++", std::move(params));
  }
};

TEST_F(UnetPlusPlusTest, GivesTheSizeOfTheInputAndUsesEveryLevelButTheInput) {
  const std::vector<Value::Table> variants{{},
                                           {{"fast", Value(false), {}}},
                                           {{"norm", Value("none"), {}}, {"center", Value(true), {}}},
                                           {{"interpolation", Value("bilinear"), {}}},
                                           {{"interpolation", Value("area"), {}}}};
  for (const Value::Table& params : variants)
    for (const auto& [height, width] : {std::pair{32, 48}, std::pair{36, 30}}) {  // the second: no multiples of 8
      auto decoder = make(params);
      EXPECT_EQ(decoder->depth(), 3);
      expect_map(*decoder, levels(3), height, width, {1, 2, 3});
    }
}

TEST_F(UnetPlusPlusTest, AttentionWorksOnWideEnoughLevels) {
  const std::vector<Level> wide{{3, 1}, {16, 2}, {24, 4}, {32, 8}};
  expect_map(*make({{"attention", Value("scse"), {}}}), wide, 32, 48, {1, 2, 3});
  EXPECT_THAT(message([&] {
                make({{"attention", Value("scse"), {}}})->build(levels(3));
              }),
              HasSubstr("there are only 8"));
}

TEST_F(UnetPlusPlusTest, DoesWithoutStrideTwo) {
  const std::vector<Level> skipping{{3, 1}, {8, 4}, {16, 8}, {24, 16}};
  const auto make_four = [&] { return DecoderTest::make("unet++", {{"channels", channels({32, 16, 16, 8}), {}}}); };
  auto decoder = make_four();
  expect_map(*decoder, skipping, 32, 48, {1, 2, 3});
  std::vector<std::string> names;
  for (const auto& child : decoder->named_children()[0].value()->named_children()) names.push_back(child.key());
  EXPECT_EQ(names, (std::vector<std::string>{"x_0_0", "x_0_1", "x_1_1", "x_0_2", "x_0_3"}));
  const auto supervised =
      DecoderTest::make("unet++", {{"channels", channels({32, 16, 16, 8}), {}}, {"supervision", Value(true), {}}});
  EXPECT_THAT(message([&] { supervised->build(skipping); }), HasSubstr("supervises blocks of stride 2"));
  const std::vector<Level> without_four{{3, 1}, {8, 2}, {16, 8}, {24, 16}};
  EXPECT_THAT(message([&] { make_four()->build(without_four); }), HasSubstr("the encoder has none of stride 4"));
}

TEST_F(UnetPlusPlusTest, HasABlockForEachPairOfLevels) {
  auto decoder = make({});
  decoder->build(levels(3));
  std::vector<std::string> names;
  for (const auto& child : decoder->named_children()[0].value()->named_children()) names.push_back(child.key());
  EXPECT_EQ(names, (std::vector<std::string>{"x_0_0", "x_0_1", "x_1_1", "x_0_2"}));
}

TEST_F(UnetPlusPlusTest, SupervisesTheBlocksOfTheLastColumnInTraining) {
  auto plain = make({});
  plain->build(levels(3));
  EXPECT_TRUE(dynamic_cast<AuxiliaryMaps&>(*plain).auxiliary_heads().empty());
  auto decoder = make({{"supervision", Value(true), {}}});
  decoder->build(levels(3));
  auto& auxiliary = dynamic_cast<AuxiliaryMaps&>(*decoder);
  ASSERT_EQ(auxiliary.auxiliary_heads().size(), 1U);
  const std::vector<at::Tensor> given = features(levels(3), 2, 32, 48);
  decoder->forward(given);
  const std::vector<at::Tensor> maps = auxiliary.take_auxiliary_maps();
  ASSERT_EQ(maps.size(), 1U);
  EXPECT_EQ(maps[0].sizes(), (at::IntArrayRef{2, 8, 16, 24}));
  maps[0].square().sum().backward();
  std::vector<std::string> trained;
  for (const auto& p : decoder->named_parameters())
    if (p.value().grad().defined() && p.key().ends_with("conv1.0.weight")) trained.push_back(p.key());
  EXPECT_EQ(trained, (std::vector<std::string>{"blocks.x_1_1.conv1.0.weight"})) << "the shortest way";
}

TEST_F(UnetPlusPlusTest, TrainsInHalfPrecision) { expect_bf16(*make({}), levels(3)); }

TEST_F(UnetPlusPlusTest, ExplainsWhatItNeeds) {
  EXPECT_THAT(message([&] { make({})->build(levels(1)); }), HasSubstr("needs that many levels"));
  EXPECT_THAT(message([&] {
                DecoderTest::make("unet++", {{"channels", channels({16}), {}}});
              }),
              HasSubstr("2 to 5 entries"));
}

}  // namespace
}  // namespace nephron::host
