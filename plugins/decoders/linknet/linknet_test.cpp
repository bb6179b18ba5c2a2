// LinkNet's decoder. Numbers against SMP: tests/parity/models.
#include <ATen/core/grad_mode.h>

#include <tests/parity/models/decoder_fixture.hpp>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;

class LinknetTest : public testing::DecoderTest {
 protected:
  std::shared_ptr<Decoder> make(Value::Table params) { return DecoderTest::make("linknet", std::move(params)); }
};

TEST_F(LinknetTest, GivesTheSizeOfTheInputAndUsesEveryLevelButTheInput) {
  for (const char* norm : {"batchnorm", "none"})
    for (const int depth : {1, 3, 5}) {
      auto decoder = make({{"depth", Value(depth), {}}, {"norm", Value(norm), {}}});
      EXPECT_EQ(decoder->depth(), depth);
      std::vector<std::size_t> used;
      for (int i = 1; i <= depth; ++i) used.push_back(static_cast<std::size_t>(i));
      expect_map(*decoder, levels(depth), 64, 96, used);
    }
}

TEST_F(LinknetTest, DoesWithoutTheStrideThatAnEncoderSkips) {
  const std::vector<Level> skipping{{3, 1}, {8, 4}, {16, 8}};
  auto decoder = make({{"depth", Value(3), {}}});
  expect_map(*decoder, skipping, 32, 48, {1, 2});
  // The block that makes stride 2 keeps the width of stride 4, as SMP's does.
  EXPECT_EQ(decoder->named_parameters()["blocks.1.block.2.0.weight"].size(0), 8);
}

TEST_F(LinknetTest, TrainsInHalfPrecision) { expect_bf16(*make({}), levels(5)); }

TEST_F(LinknetTest, ExplainsWhatItNeeds) {
  EXPECT_THAT(message([&] { make({})->build(levels(4)); }), HasSubstr("needs that many levels"));
  EXPECT_THAT(message([&] { make({})->build(levels(5, 16)); }), HasSubstr("stride 16 after stride 16"));
  const std::vector<Level> narrow{{3, 1}, {3, 2}};
  EXPECT_THAT(message([&] { make({{"depth", Value(1), {}}})->build(narrow); }), HasSubstr("a quarter"));
  auto decoder = make({});
  decoder->build(levels(5));
  EXPECT_THAT(message([&] { decoder->forward(features(levels(5), 1, 80, 64)); }), HasSubstr("multiples of 32"));
}

}  // namespace
}  // namespace nephron::host
