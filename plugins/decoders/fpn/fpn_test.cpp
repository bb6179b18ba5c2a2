// The decoder of a feature pyramid. Numbers against SMP: tests/parity/models.
#include <ATen/core/grad_mode.h>

#include <tests/parity/models/decoder_fixture.hpp>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;

class FpnTest : public testing::DecoderTest {
 protected:
  std::shared_ptr<Decoder> make(Value::Table params) {
    params.push_back({"pyramid_channels", Value(24), {}});
    params.push_back({"segmentation_channels", Value(32), {}});
    return DecoderTest::make("fpn", std::move(params));
  }
};

TEST_F(FpnTest, UsesTheFourCoarsestLevelsAtEveryDepth) {
  for (const int depth : {3, 4, 5}) {
    auto decoder = make({{"depth", Value(depth), {}}});
    EXPECT_EQ(decoder->depth(), depth);
    std::vector<std::size_t> used;
    for (int i = depth - 3; i <= depth; ++i) used.push_back(static_cast<std::size_t>(i));
    expect_map(*decoder, levels(depth), 64, 96, used);
    EXPECT_EQ(decoder->head().upsampling, 1 << (depth - 3)) << "the map has the stride of the finest level used";
  }
}

TEST_F(FpnTest, NeedsTheFourLevelsThatItUsesAndNoOther) {
  const std::vector<Level> skipping{{3, 1}, {8, 4}, {16, 8}, {24, 16}, {32, 32}};
  expect_map(*make({}), skipping, 64, 96, {1, 2, 3, 4});
  const std::vector<Level> shorter(skipping.begin(), skipping.end() - 1);
  EXPECT_THAT(message([&] {
                make({{"depth", Value(4), {}}})->build(shorter);
              }),
              HasSubstr("uses the encoder's map of stride 2, and it has none / a depth of 5"));
}

TEST_F(FpnTest, JoinsBranchesOrAddsThem) {
  auto decoder = make({{"merge", Value("cat"), {}}, {"interpolation", Value("bilinear"), {}}});
  expect_map(*decoder, levels(5), 64, 64, {2, 3, 4, 5});
  EXPECT_EQ(decoder->head().in_channels, 4 * 32);
}

TEST_F(FpnTest, DropsWholeChannelsInTrainingAlone) {
  auto decoder = make({{"dropout", Value(0.5), {}}});
  decoder->build(levels(5));
  const at::NoGradGuard no_grad;
  const auto maps = features(levels(5), 2, 64, 64);
  const at::Tensor sums = decoder->forward(maps).abs().sum({2, 3});
  EXPECT_GT((sums == 0).sum().item<std::int64_t>(), 0);
  EXPECT_LT((sums == 0).sum().item<std::int64_t>(), sums.numel());
  decoder->eval();
  EXPECT_TRUE(decoder->forward(maps).equal(decoder->forward(maps)));
}

TEST_F(FpnTest, TrainsInHalfPrecision) { expect_bf16(*make({{"dropout", Value(0.0), {}}}), levels(5)); }

TEST_F(FpnTest, ExplainsWhatItNeeds) {
  EXPECT_THAT(message([&] { make({})->build(levels(4)); }), HasSubstr("needs that many levels"));
  EXPECT_THAT(message([&] { make({})->build(levels(5, 16)); }), HasSubstr("stride 16 after stride 16"));
  EXPECT_THAT(message([&] {
                DecoderTest::make("fpn", {{"segmentation_channels", Value(48), {}}});
              }),
              HasSubstr("multiple of 32"));
  EXPECT_THAT(message([&] { DecoderTest::make("fpn", {{"depth", Value(2), {}}}); }), HasSubstr("depth"));
  auto decoder = make({});
  decoder->build(levels(5));
  EXPECT_THAT(message([&] { decoder->forward(features(levels(5), 1, 64, 80)); }), HasSubstr("multiples of 32"));
}

}  // namespace
}  // namespace nephron::host
