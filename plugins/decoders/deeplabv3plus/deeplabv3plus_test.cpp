// DeepLabV3+'s decoder. Numbers against SMP: tests/parity/models.
#include <ATen/core/grad_mode.h>

#include <tests/parity/models/decoder_fixture.hpp>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;

class DeepLabTest : public testing::DecoderTest {
 protected:
  std::shared_ptr<Decoder> make(Value::Table params) {
    params.push_back({"channels", Value(16), {}});
    return DecoderTest::make("deeplabv3+", std::move(params));
  }
};

TEST_F(DeepLabTest, GivesAQuarterOfTheImageWhateverDepthAndStride) {
  for (const int stride : {8, 16})
    for (const int depth : {3, 4, 5}) {
      auto decoder = make({{"depth", Value(depth), {}}, {"output_stride", Value(stride), {}}});
      EXPECT_EQ(decoder->depth(), depth);
      EXPECT_EQ(decoder->output_stride(), stride);
      expect_map(*decoder, levels(depth, stride), 64, 96, {2, static_cast<std::size_t>(depth)});
      EXPECT_EQ(decoder->head().upsampling, 4);
    }
}

TEST_F(DeepLabTest, DoesWithoutTheStrideThatAnEncoderSkips) {
  const std::vector<Level> skipping{{3, 1}, {8, 4}, {16, 8}, {24, 16}, {32, 16}};
  expect_map(*make({}), skipping, 64, 64, {1, 4});
}

TEST_F(DeepLabTest, PlainBranchesHaveNineTimesTheWeights) {
  const std::vector<Level> five = levels(5, 16);
  expect_map(*make({{"separable", Value(false), {}}}), five, 64, 64, {2, 5});
  auto decoder = make({{"separable", Value(false), {}}});
  decoder->build(five);
  EXPECT_EQ(decoder->named_parameters()["aspp.0.convs.1.0.weight"].sizes(),
            (at::IntArrayRef{16, five.back().channels, 3, 3}));
}

TEST_F(DeepLabTest, KeepsPyTorchsFirstWeights) {
  auto decoder = make({});
  decoder->build(levels(5, 16));
  EXPECT_FALSE(decoder->head().glorot);
  // Uniform within 1 / sqrt(fan in); He's, as other decoders draw, would reach sqrt(6) times as far.
  const at::Tensor weight = decoder->named_parameters()["aspp.0.project.0.weight"];
  const double bound = 1 / std::sqrt(5 * 16.0);
  EXPECT_LE(weight.abs().max().item<double>(), bound);
  EXPECT_GT(weight.abs().max().item<double>(), 0.9 * bound);
}

TEST_F(DeepLabTest, OneImageCannotTrainAndIsPredicted) {
  auto decoder = make({});
  decoder->build(levels(5, 16));
  const auto one = features(levels(5, 16), 1, 64, 64);
  EXPECT_THAT(message([&] { decoder->forward(one); }), HasSubstr("a batch of 2 or more"));
  decoder->eval();
  EXPECT_EQ(decoder->forward(one).size(0), 1);
}

TEST_F(DeepLabTest, TrainsInHalfPrecision) { expect_bf16(*make({{"dropout", Value(0.0), {}}}), levels(5, 16)); }

TEST_F(DeepLabTest, ExplainsWhatItNeeds) {
  EXPECT_THAT(message([&] { make({})->build(levels(4, 16)); }), HasSubstr("needs that many levels"));
  EXPECT_THAT(message([&] { make({{"output_stride", Value(12), {}}}); }), HasSubstr("must be 8 or 16"));
  EXPECT_THAT(message([&] { make({{"depth", Value(2), {}}}); }), HasSubstr("depth"));
  auto decoder = make({});
  decoder->build(levels(5, 16));
  EXPECT_THAT(message([&] { decoder->forward(features(levels(5, 16), 1, 64, 72)); }), HasSubstr("multiples of 16"));
}

}  // namespace
}  // namespace nephron::host
